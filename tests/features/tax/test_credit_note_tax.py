"""Do all credit notes on an invoice sum to the invoice, however it is divided among them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.tax.rules.document_tax import (
    DocumentTax,
    TaxableLine,
    TaxGroup,
    capped_document_tax,
    document_tax,
)
from billwright.kernel.currency import Currency, currency_of

EUR = currency_of("EUR")
TWENTY = Decimal("0.20")
NET = TaxGroup(TWENTY)
GROSS = TaxGroup(TWENTY, inclusive=True)
currencies = st.sampled_from(["JPY", "EUR", "KWD"]).map(currency_of)
charges = st.lists(
    st.builds(
        TaxableLine,
        st.integers(0, 10**6) | st.integers(0, 10),
        st.just("standard"),
        st.sampled_from([TWENTY, Decimal("0.07"), Decimal("0.255"), Decimal(0)]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def group_of(line: TaxableLine) -> TaxGroup:
    return TaxGroup(line.rate, line.inclusive)


def tax_by_group(lines: Sequence[TaxableLine], tax: DocumentTax) -> Counter[TaxGroup]:
    sums: Counter[TaxGroup] = Counter()
    for line, share in zip(lines, tax.line_tax_minor, strict=True):
        sums[group_of(line)] += share
    return sums


def credited(
    invoice: Sequence[TaxableLine], notes: Sequence[Sequence[int]], currency: Currency
) -> list[DocumentTax]:
    """The taxes of notes in turn, each of which takes back positive amounts of the invoice's lines."""
    remaining = tax_by_group(invoice, document_tax(invoice, currency))
    left = [line.net_minor for line in invoice]
    taxes = []
    for note in notes:
        left = [amount - back for amount, back in zip(left, note, strict=True)]
        still_there = {group_of(line) for line, amount in zip(invoice, left, strict=True) if amount}
        lines = [
            replace(line, net_minor=-back) for line, back in zip(invoice, note, strict=True) if back
        ]
        tax = capped_document_tax(
            lines,
            currency,
            remaining=remaining,
            exhausts={group_of(line) for line in lines} - still_there,
        )
        remaining.update(tax_by_group(lines, tax))
        taxes.append(tax)
    return taxes


def test_one_note_for_each_of_four_lines():
    # 68.33 + 57.50 + 85.00 + 68.33 = 279.16; x 0.20 = 55.832, so 334.99 with the tax. One by one:
    # 13.67 (13.666) + 11.50 + 17.00 leave 13.66 for the last, not another 13.67 to make 335.00.
    nets = [6833, 5750, 8500, 6833]
    invoice = [TaxableLine(net, "standard", TWENTY) for net in nets]
    assert sum(nets) + document_tax(invoice, EUR).total_minor == 33499
    notes = [[net if index == own else 0 for index in range(4)] for own, net in enumerate(nets)]
    taxes = credited(invoice, notes, EUR)
    assert [tax.total_minor for tax in taxes] == [-1367, -1150, -1700, -1366]
    assert sum(sum(tax.line_net_minor) + tax.total_minor for tax in taxes) == -33499


def test_a_note_that_rounds_up_again_and_again_stops_at_what_is_left():
    # 0.09 x 0.20 = 0.018, so 0.02. Notes of 0.03 say 0.006, so 0.01 each: the third has nothing left.
    taxes = credited([TaxableLine(9, "standard", TWENTY)], [[3], [3], [2], [1]], EUR)
    assert [tax.total_minor for tax in taxes] == [-1, -1, 0, 0]


def test_the_last_note_takes_what_the_others_rounded_away():
    # 0.10 x 0.20 = 0.02. Notes of 0.02 say 0.004, so nothing, until the last one.
    taxes = credited([TaxableLine(10, "standard", TWENTY)], [[2], [2], [2], [2], [2]], EUR)
    assert [tax.total_minor for tax in taxes] == [0, 0, 0, 0, -2]


def test_inclusive_prices_give_back_what_was_paid():
    # 10.00 / 1.2 = 8.333, so 1.67 tax. The first 3.33: 2.775, so 2.78 and 0.55. Then 1.12 is left.
    taxes = credited([TaxableLine(1000, "standard", TWENTY, inclusive=True)], [[333], [667]], EUR)
    assert [(tax.line_net_minor, tax.line_tax_minor) for tax in taxes] == [
        ((-278,), (-55,)),
        ((-555,), (-112,)),
    ]


def test_what_the_last_note_takes_is_shared_by_its_lines():
    lines = [TaxableLine(-50, "standard", TWENTY), TaxableLine(-50, "standard", TWENTY)]
    tax = capped_document_tax(lines, EUR, remaining={NET: 21}, exhausts={NET})
    assert tax.line_tax_minor == (-11, -10)
    [part] = tax.parts
    assert (part.base_minor, part.tax_minor) == (-100, -21)


def test_each_kind_of_price_has_its_own_rest():
    lines = [
        TaxableLine(-100, "standard", TWENTY),
        TaxableLine(-120, "standard", TWENTY, inclusive=True),
    ]
    tax = capped_document_tax(lines, EUR, remaining={NET: 19, GROSS: 21}, exhausts={GROSS})
    assert tax.line_tax_minor == (-19, -21)
    assert tax.line_net_minor == (-100, -99)
    assert [(part.base_minor, part.tax_minor) for part in tax.parts] == [(-199, -40)]


def test_a_note_cannot_charge():
    with pytest.raises(ValueError, match="weights must not be negative"):
        capped_document_tax(
            [TaxableLine(-100, "standard", TWENTY), TaxableLine(10, "standard", TWENTY)],
            EUR,
            remaining={NET: 50},
            exhausts=set(),
        )


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[TaxableLine], list[list[int]]]:
    """An invoice, and notes that take all of it back, line by line in parts."""
    invoice = draw(charges)
    count = draw(st.integers(1, 5))
    by_line = []
    for line in invoice:
        cuts = sorted(draw(st.lists(st.integers(0, line.net_minor), min_size=4, max_size=4)))
        bounds = [0, *cuts[: count - 1], line.net_minor]
        by_line.append([bounds[each + 1] - bounds[each] for each in range(count)])
    return invoice, [list(note) for note in zip(*by_line, strict=True)]


@given(splits(), currencies)
def test_all_notes_sum_to_the_invoice(split, currency):
    invoice, notes = split
    taxes = credited(invoice, notes, currency)
    charged: Counter[Decimal] = Counter()
    for part in [*document_tax(invoice, currency).parts, *(p for tax in taxes for p in tax.parts)]:
        charged[part.rate] += part.tax_minor
        charged[part.rate + 1] += part.base_minor
    assert not any(charged.values())
    for tax in taxes:
        assert all(share <= 0 for share in tax.line_tax_minor)
        assert sum(tax.line_tax_minor) == tax.total_minor
        assert sum(tax.line_net_minor) == sum(part.base_minor for part in tax.parts)
