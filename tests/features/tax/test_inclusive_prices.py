"""Does a price that includes tax stay what was agreed, whatever it stands beside?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.tax.rules.document_tax import TaxableLine, document_tax
from billwright.kernel.currency import currency_of

EUR = currency_of("EUR")
NINETEEN = Decimal("0.19")
currencies = st.sampled_from(["JPY", "EUR", "KWD"]).map(currency_of)
amounts = st.integers(-(10**9), 10**9) | st.integers(-20, 20)
lines_of_both_kinds = st.lists(
    st.builds(
        TaxableLine,
        amounts,
        st.just("standard"),
        st.sampled_from([NINETEEN, Decimal("0.07"), Decimal("0.255"), Decimal(0)]),
        st.booleans(),
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("code", "gross_minor", "rate", "net_minor", "tax_minor"),
    [
        ("EUR", 11900, "0.19", 10000, 1900),  # 119.00 / 1.19 = 100.00
        ("EUR", 1000, "0.19", 840, 160),  # 10.00 / 1.19 = 8.4034
        ("EUR", 999, "0.07", 934, 65),  # 9.99 / 1.07 = 9.3364
        ("JPY", 1100, "0.10", 1000, 100),
        ("JPY", 980, "0.10", 891, 89),  # 980 / 1.1 = 890.9
        ("KWD", 1000, "0.255", 797, 203),  # 1.000 / 1.255 = 0.79681
        ("EUR", 3, "0.20", 3, 0),  # 0.03 / 1.2 = 0.025, half up
        ("EUR", -3, "0.20", -3, 0),
        # Where no tax is charged, the agreed price is what the buyer pays.
        ("EUR", 11900, "0", 11900, 0),
    ],
)
def test_the_net_amount_is_rounded_and_the_tax_is_the_rest(
    code, gross_minor, rate, net_minor, tax_minor
):
    line = TaxableLine(gross_minor, "standard", Decimal(rate), inclusive=True)
    tax = document_tax([line], currency_of(code))
    assert (tax.line_net_minor, tax.line_tax_minor) == ((net_minor,), (tax_minor,))
    [part] = tax.parts
    assert (part.base_minor, part.tax_minor) == (net_minor, tax_minor)


def test_small_inclusive_lines_are_rounded_together():
    # 5 x 0.10 = 0.50; 0.50 / 1.19 = 0.4202, so 0.42 and 0.08 tax. Each line alone: 0.0160 tax.
    tax = document_tax([TaxableLine(10, "standard", NINETEEN, inclusive=True)] * 5, EUR)
    assert tax.line_tax_minor == (2, 2, 2, 1, 1)
    assert tax.line_net_minor == (8, 8, 8, 9, 9)


def test_a_rate_has_one_row_for_both_kinds_of_prices():
    # Net 10.00 carries 1.90; gross 10.00 is 8.40 and 1.60.
    tax = document_tax(
        [
            TaxableLine(1000, "standard", NINETEEN),
            TaxableLine(500, "books", Decimal("0.07")),
            TaxableLine(1000, "hosting", NINETEEN, inclusive=True),
        ],
        EUR,
    )
    assert [(part.category, part.base_minor, part.tax_minor) for part in tax.parts] == [
        ("standard", 1840, 350),
        ("books", 500, 35),
    ]
    assert tax.line_tax_minor == (190, 35, 160)
    assert tax.line_net_minor == (1000, 500, 840)


@given(lines_of_both_kinds, currencies)
def test_net_and_tax_make_what_was_agreed(lines, currency):
    tax = document_tax(lines, currency)
    net, tax_minor = sum(tax.line_net_minor), sum(tax.line_tax_minor)
    total = sum(part.base_minor + part.tax_minor for part in tax.parts)
    gross_of_inclusive = sum(line.net_minor for line in lines if line.inclusive)
    gross_of_others = sum(
        line.net_minor + share
        for line, share in zip(lines, tax.line_tax_minor, strict=True)
        if not line.inclusive
    )
    assert net + tax_minor == total == gross_of_inclusive + gross_of_others
    assert tax_minor == tax.total_minor
    for line, line_net, share in zip(lines, tax.line_net_minor, tax.line_tax_minor, strict=True):
        assert line_net + (share if line.inclusive else 0) == line.net_minor


@given(lines_of_both_kinds, currencies)
def test_each_kind_of_a_rate_is_within_half_a_unit_of_its_exact_tax(lines, currency):
    tax = document_tax(lines, currency)
    for rate, inclusive in {(line.rate, line.inclusive) for line in lines}:
        members = [
            index
            for index, line in enumerate(lines)
            if (line.rate, line.inclusive) == (rate, inclusive)
        ]
        share = Fraction(rate) / (1 + Fraction(rate)) if inclusive else Fraction(rate)
        exact = sum(lines[index].net_minor for index in members) * share
        assert abs(sum(tax.line_tax_minor[index] for index in members) - exact) <= Fraction(1, 2)
        for index in members:
            # Never as much as a whole unit besides its own: the sign and the size stay its own.
            assert abs(tax.line_tax_minor[index] - lines[index].net_minor * share) < Fraction(3, 2)
            if len({lines[each].net_minor > 0 for each in members}) == 1:
                assert tax.line_tax_minor[index] * lines[index].net_minor >= 0


@given(lines_of_both_kinds, currencies)
def test_a_credit_of_everything_mirrors_it(lines, currency):
    tax = document_tax(lines, currency)
    credit = document_tax([replace(line, net_minor=-line.net_minor) for line in lines], currency)
    assert credit.line_tax_minor == tuple(-share for share in tax.line_tax_minor)
    assert credit.line_net_minor == tuple(-net for net in tax.line_net_minor)
    assert [(part.base_minor, part.tax_minor) for part in credit.parts] == [
        (-part.base_minor, -part.tax_minor) for part in tax.parts
    ]
