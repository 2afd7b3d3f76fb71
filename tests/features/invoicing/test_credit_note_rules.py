"""Do all credit notes on an invoice sum to it, whichever way it is split?"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.invoicing.model import ChargeId, ChargeKind, InvoiceLine
from billwright.features.invoicing.rules.credit_allocation import Allocation, allocated
from billwright.features.invoicing.rules.credit_note import (
    Credit,
    CreditableLine,
    CreditLine,
    credit_tax,
    everything_left,
    of_lines,
    spread_over_lines,
)
from billwright.features.tax.rules.document_tax import DocumentTax, TaxableLine, document_tax
from billwright.kernel.currency import Currency, currency_of
from billwright.kernel.refusal import Refusal

EUR = currency_of("EUR")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
RATES = {
    "standard": Decimal("0.19"),
    "reduced": Decimal("0.07"),
    "fifth": Decimal("0.20"),
    "none": Decimal(0),
}


def an_invoice(
    amounts: list[tuple[int, str, bool]], currency: Currency = EUR, **changes: object
) -> list[CreditableLine]:
    """The lines of an invoice as it would be taxed: amount, category, and whether it has the tax."""
    tax = document_tax(
        [
            TaxableLine(amount, category, RATES[category], inclusive)
            for amount, category, inclusive in amounts
        ],
        currency,
    )
    return [
        CreditableLine(
            InvoiceLine(
                id=ChargeId(uuid4()),
                position=position,
                subscription_id=None,
                plan_component_id=None,
                kind=ChargeKind.MANUAL,
                description=f"Line {position}",
                period_start=BEGAN,
                period_end=BEGAN + timedelta(days=31),
                quantity=Decimal(1),
                unit_name="",
                unit_price=None,
                amount_minor=amount,
                tax_category=category,
                tax_rate=RATES[category],
                tax_minor=share,
                tax_inclusive=inclusive,
                **changes,
            )
        )
        for position, ((amount, category, inclusive), share) in enumerate(
            zip(amounts, tax.line_tax_minor, strict=True), start=1
        )
    ]


def after(
    lines: list[CreditableLine], note: tuple[Credit, ...], tax: DocumentTax
) -> list[CreditableLine]:
    """The lines once a note has been issued."""
    given: dict[UUID, tuple[int, int]] = {
        credit.line.id: (credit.amount_minor, -share)
        for credit, share in zip(note, tax.line_tax_minor, strict=True)
    }
    return [
        CreditableLine(
            each.line,
            each.credited_minor + given.get(each.line.id, (0, 0))[0],
            each.credited_tax_minor + given.get(each.line.id, (0, 0))[1],
        )
        for each in lines
    ]


def gross(lines: list[CreditableLine]) -> int:
    return sum(each.line.net_minor + each.line.tax_minor for each in lines)


amounts = st.lists(
    st.tuples(st.integers(-(10**6), 10**7), st.sampled_from(sorted(RATES)), st.booleans()),
    min_size=1,
    max_size=8,
).filter(lambda rows: min(sums_of(rows).values()) >= 0 and max(sums_of(rows).values()) > 0)


def sums_of(rows: list[tuple[int, str, bool]]) -> dict[tuple[str, bool], int]:
    sums: dict[tuple[str, bool], int] = defaultdict(int)
    for amount, category, inclusive in rows:
        sums[category, inclusive] += amount
    return sums


@given(amounts, st.sampled_from(["JPY", "EUR", "KWD"]), st.data())
def test_all_notes_sum_to_the_invoice_in_net_and_tax(rows, code, data):
    currency = currency_of(code)
    invoice = lines = an_invoice(rows, currency)
    net = tax_total = 0
    taken: dict[Decimal, int] = defaultdict(int)
    for is_last in (False, False, False, True):
        try:
            left = everything_left(lines, currency=currency)
        except Refusal as refused:
            assert refused.code == "nothing_to_credit"
            break
        if is_last:
            note = left
        elif data.draw(st.booleans()):
            whole = sum(credit.amount_minor for credit in left)
            note = spread_over_lines(
                lines, amount_minor=data.draw(st.integers(1, whole)), currency=currency
            )
        else:
            one = data.draw(st.sampled_from(left))
            wanted = CreditLine(one.line.id, data.draw(st.integers(1, one.amount_minor)))
            note = of_lines(lines, [wanted], currency=currency)
        tax = credit_tax(lines, note, currency=currency)
        for part in tax.parts:
            taken[part.rate] -= part.tax_minor
        net -= sum(tax.line_net_minor)
        tax_total -= tax.total_minor
        lines = after(lines, note, tax)
        assert all(0 <= each.credited_minor <= max(each.line.amount_minor, 0) for each in lines)
    assert net == sum(each.line.net_minor for each in invoice)
    assert tax_total == sum(each.line.tax_minor for each in invoice)
    for rate, given_back in taken.items():
        charged = [each.line.tax_minor for each in invoice if each.line.tax_rate == rate]
        assert given_back == sum(charged)


@given(amounts, st.integers(1, 10**8))
def test_a_spread_takes_of_each_line_in_proportion(rows, amount):
    lines = an_invoice(rows)
    left = {c.line.id: c.amount_minor for c in everything_left(lines, currency=EUR)}
    whole = sum(left.values())
    amount = 1 + amount % whole
    note = spread_over_lines(lines, amount_minor=amount, currency=EUR)
    assert sum(credit.amount_minor for credit in note) == amount
    for credit in note:
        assert 0 < credit.amount_minor <= left[credit.line.id]
        assert abs(credit.amount_minor * whole - amount * left[credit.line.id]) < whole


def test_four_notes_are_an_invoice_of_334_99_and_not_335_00():
    # 4 x 69.79 = 279.16; 20 % of that is 55.832, so 55.83 and 334.99 together. One line alone has
    # 13.958, so 13.96: four times that would be 55.84.
    lines = an_invoice([(6979, "fifth", False)] * 4)
    assert gross(lines) == 33499
    totals = []
    for each in list(lines):
        note = of_lines(lines, [CreditLine(each.line.id)], currency=EUR)
        tax = credit_tax(lines, note, currency=EUR)
        totals.append(sum(tax.line_net_minor) + tax.total_minor)
        lines = after(lines, note, tax)
    assert totals == [-8375, -8375, -8375, -8374]
    assert sum(totals) == -33499


def test_a_credit_that_waits_keeps_its_tax():
    # Of 100.00 at 19 %, 40.00 wait to be credited, which will take 7.60: 60.00 and 11.40 are left.
    (line,) = an_invoice([(10000, "standard", False)])
    lines = [CreditableLine(line.line, credited_minor=4000, waiting_minor=4000)]
    note = everything_left(lines, currency=EUR)
    tax = credit_tax(lines, note, currency=EUR)
    assert (note[0].amount_minor, tax.total_minor) == (6000, -1140)


def test_a_line_below_zero_makes_the_others_give_less():
    # 100.00 and 50.00 less 30.00 are 120.00, of which the lines give two thirds and one third.
    lines = an_invoice(
        [(10000, "standard", False), (5000, "standard", False), (-3000, "standard", False)]
    )
    note = everything_left(lines, currency=EUR)
    assert [credit.amount_minor for credit in note] == [8000, 4000]
    # 19 % of 120.00
    assert credit_tax(lines, note, currency=EUR).total_minor == -2280


def test_what_corrects_another_charge_is_no_part_of_it():
    lines = an_invoice([(10000, "standard", False)])
    lines += an_invoice([(-3000, "standard", False)], corrects_charge_id=uuid4())
    note = everything_left(lines, currency=EUR)
    assert [credit.amount_minor for credit in note] == [10000]
    assert credit_tax(lines, note, currency=EUR).total_minor == -1900


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ([(0, 10001)], "credit_too_large"),
        ([(0, 0)], "credit_not_positive"),
        ([(0, -1)], "credit_not_positive"),
        ([(0, 10), (0, 10)], "credit_line_repeated"),
        ([(2, None)], "credit_line_unknown"),  # a line that corrects another
        ([(1, None)], "nothing_to_credit"),  # credited wholly
        ([], "nothing_to_credit"),
    ],
)
def test_amounts_that_a_line_does_not_have_are_refused(wanted, code):
    free, used = an_invoice([(10000, "standard", False), (5000, "standard", False)])
    lines = [
        free,
        CreditableLine(used.line, 5000, used.line.tax_minor),
        *an_invoice([(-100, "none", False)], corrects_charge_id=uuid4()),
    ]
    with pytest.raises(Refusal) as refused:
        of_lines(
            lines,
            [CreditLine(lines[index].line.id, amount) for index, amount in wanted],
            currency=EUR,
        )
    assert refused.value.code == code


@pytest.mark.parametrize(("amount", "code"), [(0, "credit_not_positive"), (8, "credit_too_large")])
def test_a_spread_is_bounded(amount, code):
    with pytest.raises(Refusal) as refused:
        spread_over_lines(an_invoice([(7, "none", False)]), amount_minor=amount, currency=EUR)
    assert refused.value.code == code


def where_it_goes(wanted: Allocation | None) -> Allocation:
    """Of a note about 50.00, for an invoice of which 20.00 is due and 10.00 was paid."""
    return allocated(wanted, total_minor=5000, due_minor=2000, refundable_minor=1000, currency=EUR)


def test_what_is_due_is_offset_first_and_the_rest_stays_with_the_account():
    assert where_it_goes(None) == Allocation(to_invoice_minor=2000, to_balance_minor=3000)


@pytest.mark.parametrize(
    ("invoice", "balance", "refund", "code"),
    [
        (2000, 2000, 1000, None),
        (0, 5000, 0, None),
        (2001, 2999, 0, "credit_above_due"),
        (2000, 1999, 1001, "refund_above_paid"),
        (2000, 2000, 999, "allocation_differs"),
        (2000, 4000, -1000, "allocation_negative"),
    ],
)
def test_an_allocation_fits_the_note_the_debt_and_the_money(invoice, balance, refund, code):
    wanted = Allocation(to_invoice_minor=invoice, to_balance_minor=balance, to_refund_minor=refund)
    if code is None:
        assert where_it_goes(wanted) == wanted
        return
    with pytest.raises(Refusal) as refused:
        where_it_goes(wanted)
    assert refused.value.code == code
