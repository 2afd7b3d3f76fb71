"""Is an amount with tax given back to the last unit, and is the tax in it right?"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.rules.credit_note import (
    CreditableLine,
    CreditLine,
    credit_tax,
    everything_left,
    of_lines,
)
from billwright.features.invoicing.rules.gross_credit import gross_left, of_gross
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of
from billwright.features.tax.rules.document_tax import DocumentTax, TaxGroup
from billwright.kernel.currency import currency_of
from billwright.kernel.refusal import Refusal
from tests.conftest import Tenant
from tests.features.invoicing.test_credit_invoice import invoiced, paid
from tests.features.invoicing.test_credit_note_rules import EUR, after, amounts, an_invoice


def total_of(tax: DocumentTax) -> int:
    return -sum(tax.line_net_minor) - tax.total_minor


@given(amounts, st.sampled_from(["JPY", "EUR", "KWD"]), st.data())
def test_a_note_comes_to_what_was_asked_and_all_notes_to_the_invoice(rows, code, data):
    currency = currency_of(code)
    invoice = lines = an_invoice(rows, currency)
    taken: dict[Decimal, int] = defaultdict(int)
    net = 0
    for _ in range(6):
        left = gross_left(lines, currency=currency)
        if not left:
            break
        way = data.draw(st.sampled_from(["part", "crumb", "line", "all"]))
        if way == "line":
            one = data.draw(st.sampled_from(everything_left(lines, currency=currency)))
            note = of_lines(lines, [CreditLine(one.line.id)], currency=currency)
            tax = credit_tax(lines, note, currency=currency)
        else:
            asked = left if way == "all" else data.draw(st.integers(1, min(left, 3)))
            asked = data.draw(st.integers(1, left)) if way == "part" else asked
            note, tax = of_gross(lines, gross_minor=asked, currency=currency)
            assert total_of(tax) == asked
        for part in tax.parts:
            taken[part.rate] -= part.tax_minor
        net -= sum(tax.line_net_minor)
        lines = after(lines, note, tax)
        for each in lines:
            assert 0 <= each.credited_minor <= max(each.line.amount_minor, 0)
    if left := gross_left(lines, currency=currency):
        note, tax = of_gross(lines, gross_minor=left, currency=currency)
        for part in tax.parts:
            taken[part.rate] -= part.tax_minor
        net -= sum(tax.line_net_minor)
        lines = after(lines, note, tax)
    with pytest.raises(Refusal) as refused:
        everything_left(lines, currency=currency)
    assert refused.value.code == "nothing_to_credit"
    assert net == sum(each.line.net_minor for each in invoice)
    for rate, given_back in taken.items():
        charged = [each.line.tax_minor for each in invoice if each.line.tax_rate == rate]
        assert given_back == sum(charged)


@given(amounts, st.data())
def test_the_tax_in_it_is_that_of_the_rate_within_a_unit(rows, data):
    lines = an_invoice(rows)
    asked = data.draw(st.integers(1, gross_left(lines, currency=EUR)))
    note, tax = of_gross(lines, gross_minor=asked, currency=EUR)
    gross: dict[TaxGroup, int] = defaultdict(int)
    taxes: dict[TaxGroup, int] = defaultdict(int)
    for credit, net_minor, tax_minor in zip(
        note, tax.line_net_minor, tax.line_tax_minor, strict=True
    ):
        group = TaxGroup(credit.line.tax_rate, credit.line.tax_inclusive)
        gross[group] -= net_minor + tax_minor
        taxes[group] -= tax_minor
    for (rate, inclusive), gross_minor in gross.items():
        exact = gross_minor * Fraction(rate) / (1 + Fraction(rate))
        assert abs(taxes[TaxGroup(rate, inclusive)] - exact) <= 1


def test_prices_with_and_without_tax():
    # 100.00 plus 19 % is 119.00, 107.00 contains 7 %: together 226.00. Of 22.60 the first give 11.90,
    # in which 1.90 is tax, the second 10.70 with 0.70.
    lines = an_invoice([(10000, "standard", False), (10700, "reduced", True)])
    note, tax = of_gross(lines, gross_minor=2260, currency=EUR)
    assert [credit.amount_minor for credit in note] == [1000, 1070]
    assert [(part.base_minor, part.tax_minor) for part in tax.parts] == [
        (-1000, -190),
        (-1000, -70),
    ]


def test_an_amount_that_no_net_price_makes():
    # 0.03 at 19 %: 0.02 would make 0.02, 0.03 would make 0.04. So 0.03 / 1.19 = 0.0252: 0.03, no tax.
    (line,) = an_invoice([(10000, "standard", False)])
    note, tax = of_gross([line], gross_minor=3, currency=EUR)
    assert (note[0].amount_minor, tax.total_minor) == (3, 0)
    # 0.10 / 1.19 = 0.0840: 0.08, and 0.02 tax.
    note, tax = of_gross([line], gross_minor=10, currency=EUR)
    assert (note[0].amount_minor, tax.total_minor) == (8, -2)


def test_a_last_unit_keeps_the_tax_that_is_left_reachable():
    # Of 0.03 and 0.01 tax, 0.02 went back without tax: 0.01 and 0.01 are left. One cent of that is tax
    # alone, so that the other is a price that somebody can still give back.
    (line,) = an_invoice([(3, "standard", False)])
    lines = [CreditableLine(line.line, credited_minor=2)]
    note, tax = of_gross(lines, gross_minor=1, currency=EUR)
    assert (note[0].amount_minor, tax.total_minor) == (0, -1)
    lines = after(lines, note, tax)
    note, tax = of_gross(lines, gross_minor=1, currency=EUR)
    assert (note[0].amount_minor, tax.total_minor) == (1, 0)


@pytest.mark.parametrize(
    ("asked", "code"), [(0, "credit_not_positive"), (12, "credit_too_large"), (11, None)]
)
def test_it_is_bounded(asked, code):
    lines = an_invoice([(9, "standard", False)])  # 0.09 and 0.02 tax
    if code is None:
        assert total_of(of_gross(lines, gross_minor=asked, currency=EUR)[1]) == asked
        return
    with pytest.raises(Refusal) as refused:
        of_gross(lines, gross_minor=asked, currency=EUR)
    assert refused.value.code == code


async def test_notes_of_any_amount_leave_the_books_exact(tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 2900, 990)  # 46.29
        await paid(tx, invoice_id, 4629)
        notes: list[Invoice] = []
        for asked in (1, 3, 1001, 33, 3591):
            note = await credit_invoice(
                tx,
                CreditInvoice(
                    invoice_id=invoice_id,
                    reason="outage",
                    gross_minor=asked,
                    allocation=Allocation(to_refund_minor=asked),
                ),
            )
            assert (note.total_minor, note.to_refund_minor) == (-asked, asked)
            lines = await lines_of(tx, note.id)
            assert sum(line.net_minor + line.tax_minor for line in lines) == -asked
            notes.append(note)
        invoice = await invoice_by_id(tx, invoice_id)
        with pytest.raises(Refusal) as refused:
            await credit_invoice(tx, CreditInvoice(invoice_id=invoice_id, reason="more"))
    assert refused.value.code == "nothing_to_credit"
    assert invoice.state is InvoiceState.PAID
    assert sum(note.subtotal_minor for note in notes) == -invoice.subtotal_minor == -3890
    assert sum(note.tax_minor for note in notes) == -invoice.tax_minor == -739


async def test_one_kind_of_amount_at_a_time(tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 2900)
        with pytest.raises(Refusal) as refused:
            await credit_invoice(
                tx,
                CreditInvoice(
                    invoice_id=invoice_id, reason="both", amount_minor=100, gross_minor=119
                ),
            )
    assert refused.value.code == "credit_ambiguous"
