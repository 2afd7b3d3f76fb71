"""Which number, which parties and which totals does a document carry?"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.accounts.model import Account, AccountId, AccountStatus, CustomerType
from billwright.features.invoicing.model import ChargeKind, InvoiceDraft, NewCharge
from billwright.features.invoicing.rules.numbering import (
    DEFAULT_TEMPLATE,
    document_number,
    fiscal_year,
)
from billwright.features.invoicing.rules.parties import buyer_party, seller_party
from billwright.features.invoicing.rules.totals import totals_of
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.kernel.currency import currency_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = Account(
    id=AccountId(uuid4()),
    number=1,
    external_id=None,
    status=AccountStatus.ACTIVE,
    name="Riverbank Books",
    email=None,
    customer_type=CustomerType.BUSINESS,
    tax_id=None,
    reference=None,
    address=Address(city="Berlin"),
    currency="EUR",
    locale="en",
    zone="UTC",
    payment_terms_days=None,
    parked_reason=None,
    test_clock_id=None,
    metadata={},
    version=1,
    created_at=BEGAN,
    updated_at=BEGAN,
)


@pytest.mark.parametrize(
    ("issued_on", "start_month", "year"),
    [
        (date(2026, 1, 1), 1, 2026),
        (date(2026, 12, 31), 1, 2026),
        (date(2026, 3, 31), 4, 2025),
        (date(2026, 4, 1), 4, 2026),
        (date(2027, 3, 31), 4, 2026),
        (date(2026, 11, 30), 12, 2025),
        (date(2026, 12, 1), 12, 2026),
    ],
)
def test_a_fiscal_year_is_named_by_the_year_in_which_it_begins(issued_on, start_month, year):
    assert fiscal_year(issued_on, start_month=start_month) == year


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 12))
def test_a_fiscal_year_changes_on_the_first_of_its_month_only(day, start_month):
    before = fiscal_year(day - timedelta(days=1), start_month=start_month)
    begins = (day.month, day.day) == (start_month, 1)
    assert fiscal_year(day, start_month=start_month) == before + begins


def test_a_number_is_printed_from_its_template():
    assert document_number(DEFAULT_TEMPLATE, year=2026, sequence=7) == "INV-2026-00007"
    assert document_number(DEFAULT_TEMPLATE, year=2026, sequence=123456) == "INV-2026-123456"


def test_an_unchanged_party_has_one_id():
    later = replace(ACCOUNT, version=9, updated_at=BEGAN + timedelta(days=9), metadata={"a": "b"})
    assert buyer_party(later) == buyer_party(ACCOUNT)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Riverbank Books GmbH"},
        {"address": Address(city="Hamburg")},
        {"email": "a@b.example"},
        {"tax_id": "DE123456788"},
        {"reference": "PO 1"},
        {"number": 2},
    ],
)
def test_a_changed_buyer_is_another_party(changes):
    assert buyer_party(replace(ACCOUNT, **changes)).id != buyer_party(ACCOUNT).id


def test_every_field_of_a_seller_is_part_of_the_party():
    party = SellerParty(name="Northlight", address=Address())
    seller = Seller(id=uuid4(), party=party)
    ids = {seller_party(seller).id}
    for field in fields(SellerParty):
        value = Address(city="Berlin") if field.name == "address" else "changed"
        ids.add(seller_party(replace(seller, party=replace(party, **{field.name: value}))).id)
    assert len(ids) == 1 + len(fields(SellerParty))
    assert seller_party(replace(seller, currency="USD", id=uuid4())).id in ids


def charge(amount_minor: int, category: str) -> NewCharge:
    return NewCharge(
        subscription_id=uuid4(),
        plan_component_id=uuid4(),
        kind=ChargeKind.RECURRING,
        period_start=BEGAN,
        period_end=BEGAN + timedelta(days=31),
        description="Team: Base fee",
        quantity=Decimal(1),
        unit_name="",
        unit_price=None,
        amount_minor=amount_minor,
        tax_category=category,
    )


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from(["standard", "reduced"]))),
    st.sampled_from(["JPY", "EUR", "KWD"]),
)
def test_subtotal_and_tax_make_the_total(amounts, currency):
    draft = InvoiceDraft(ACCOUNT, currency_of(currency), tuple(charge(*each) for each in amounts))
    rates = {"standard": Decimal("0.19"), "reduced": Decimal("0.07")}
    totals = totals_of(draft, rate_of=lambda each: rates[each.tax_category])
    assert totals.subtotal_minor == sum(amount for amount, _ in amounts)
    assert totals.total_minor == totals.subtotal_minor + sum(totals.tax.line_tax_minor)
    assert totals.rates == tuple(rates[category] for _, category in amounts)
