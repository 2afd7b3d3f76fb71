"""Which number, which parties and which totals does a document carry?"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.invoicing.model import DocumentKind, InvoiceState
from billwright.features.invoicing.rules.numbering import (
    DEFAULT_SERIES,
    document_number,
    fiscal_year,
)
from billwright.features.invoicing.rules.parties import buyer_party, seller_party
from billwright.features.invoicing.rules.settlement import settlement_state
from billwright.features.invoicing.rules.totals import totals_of
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.kernel.currency import currency_of
from tests.features.invoicing.accounts import AN_ACCOUNT, BEGAN
from tests.features.invoicing.charging import a_charge


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


@pytest.mark.parametrize(
    ("template", "number"),
    [
        (DEFAULT_SERIES[DocumentKind.INVOICE].template, "INV-2026-00007"),
        (DEFAULT_SERIES[DocumentKind.CREDIT_NOTE].template, "CN-2026-00007"),
        ("{year2}{month}/{sequence}", "2603/7"),
        ("R{sequence:03d}", "R007"),
    ],
)
def test_a_number_is_printed_from_its_template(template, number):
    assert document_number(template, year=2026, month=3, sequence=7) == number


def test_a_long_sequence_outgrows_its_padding():
    assert document_number("{sequence:05d}", year=2026, month=3, sequence=123456) == "123456"


def test_an_unchanged_party_has_one_id():
    later = replace(
        AN_ACCOUNT, version=9, updated_at=BEGAN + timedelta(days=9), metadata={"a": "b"}
    )
    assert buyer_party(later) == buyer_party(AN_ACCOUNT)


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
    assert buyer_party(replace(AN_ACCOUNT, **changes)).id != buyer_party(AN_ACCOUNT).id


def test_every_field_of_a_seller_is_part_of_the_party():
    party = SellerParty(name="Northlight", address=Address())
    seller = Seller(id=uuid4(), party=party)
    ids = {seller_party(seller).id}
    for field in fields(SellerParty):
        value = Address(city="Berlin") if field.name == "address" else "changed"
        ids.add(seller_party(replace(seller, party=replace(party, **{field.name: value}))).id)
    assert len(ids) == 1 + len(fields(SellerParty))
    assert seller_party(replace(seller, currency="USD", id=uuid4())).id in ids


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from(["standard", "reduced"]))),
    st.booleans(),
    st.sampled_from(["JPY", "EUR", "KWD"]),
)
def test_subtotal_and_tax_make_the_total(amounts, tax_inclusive, currency):
    charges = [
        a_charge(amount, tax_category=category, tax_inclusive=tax_inclusive)
        for amount, category in amounts
    ]
    rates = {"standard": Decimal("0.19"), "reduced": Decimal("0.07")}
    totals = totals_of(
        charges, currency_of(currency), rate_of=lambda each: rates[each.tax_category]
    )
    given_minor = sum(amount for amount, _ in amounts)
    assert given_minor == (totals.total_minor if tax_inclusive else totals.subtotal_minor)
    assert totals.total_minor == totals.subtotal_minor + sum(totals.tax.line_tax_minor)
    assert totals.rates == tuple(rates[category] for _, category in amounts)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_an_invoice_is_paid_when_nothing_is_due(settled_minor, due_minor):
    state = settlement_state(due_minor=due_minor, total_minor=settled_minor + due_minor)
    assert (state is InvoiceState.PAID) == (due_minor == 0)
    assert (state is InvoiceState.OPEN) == (due_minor > 0 and settled_minor == 0)
