"""Is a document's tax one sum, whichever way it is added up?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.tax.rules.document_tax import DocumentTax, TaxableLine, document_tax
from billwright.kernel.currency import currency_of
from billwright.kernel.money import round_to_minor

RATES = {"standard": Decimal("0.19"), "reduced": Decimal("0.07"), "zero": Decimal(0)}
currencies = st.sampled_from(["JPY", "EUR", "KWD"]).map(currency_of)


def lines_of(amounts: st.SearchStrategy[int]) -> st.SearchStrategy[list[TaxableLine]]:
    return st.lists(
        st.builds(
            lambda net, category: TaxableLine(net, category, RATES[category]),
            amounts,
            st.sampled_from(sorted(RATES)),
        ),
        max_size=12,
    )


charges = lines_of(st.integers(0, 10**9))
charges_and_credits = lines_of(st.integers(-(10**9), 10**9))


def line_tax(tax: DocumentTax, lines: list[TaxableLine], category: str) -> int:
    return sum(
        share
        for line, share in zip(lines, tax.line_tax_minor, strict=True)
        if line.category == category
    )


@given(charges_and_credits, currencies)
def test_lines_and_rates_have_one_sum(lines, currency):
    tax = document_tax(lines, currency)
    assert sum(tax.line_tax_minor) == tax.total_minor
    for part in tax.parts:
        assert part.tax_minor == line_tax(tax, lines, part.category)
        assert part.base_minor == sum(
            line.net_minor for line in lines if line.category == part.category
        )
    assert sum(part.base_minor for part in tax.parts) == sum(line.net_minor for line in lines)


@given(charges_and_credits, currencies)
def test_a_rate_is_applied_to_its_sum_and_rounded_once(lines, currency):
    for part in document_tax(lines, currency).parts:
        exact = Fraction(part.base_minor, 10**currency.exponent) * Fraction(part.rate)
        assert part.tax_minor == round_to_minor(exact, currency=currency).amount_minor
        assert abs(part.tax_minor - exact * 10**currency.exponent) <= Fraction(1, 2)


@given(charges, currencies)
def test_a_lines_tax_is_its_own_within_a_minor_unit(lines, currency):
    tax = document_tax(lines, currency)
    for line, share in zip(lines, tax.line_tax_minor, strict=True):
        assert abs(share - line.net_minor * Fraction(line.rate)) < Fraction(3, 2)
        assert share >= 0


@given(charges, currencies)
def test_the_credit_of_everything_is_the_negative_of_everything(lines, currency):
    credit = [TaxableLine(-line.net_minor, line.category, line.rate) for line in lines]
    assert document_tax(credit, currency).total_minor == -document_tax(lines, currency).total_minor
    assert document_tax(credit, currency).line_tax_minor == tuple(
        -share for share in document_tax(lines, currency).line_tax_minor
    )


def test_many_small_lines_are_not_rounded_one_by_one():
    # 19 % of 0.02 is 0.0038: nothing for each of ten lines, but 0.04 for the document.
    tax = document_tax([TaxableLine(2, "standard", RATES["standard"])] * 10, currency_of("EUR"))
    assert tax.total_minor == 4
    assert tax.line_tax_minor == (1, 1, 1, 1, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("code", "net_minor", "tax_minor"),
    [
        ("JPY", 1500, 285),  # 1500 yen x 0.19 = 285
        ("JPY", 3, 1),  # 0.57 yen, up
        ("EUR", 5870, 1115),  # 58.70 x 0.19 = 11.153
        ("EUR", 50, 10),  # 0.095, half up
        ("EUR", -50, -10),
        ("KWD", 12345, 2346),  # 12.345 dinar x 0.19 = 2.34555
    ],
)
def test_each_currency_rounds_to_its_own_minor_unit(code, net_minor, tax_minor):
    line = TaxableLine(net_minor, "standard", RATES["standard"])
    assert document_tax([line], currency_of(code)).total_minor == tax_minor


def test_a_document_without_lines_has_no_tax():
    assert document_tax([], currency_of("EUR")) == DocumentTax((), (), ())


def test_a_credit_beside_a_charge_keeps_a_tax_of_its_own_size():
    # 10.00 and -9.97 at 19 %: 1.90 and -1.8943; the tax on 0.03 is 0.0057, so 0.01 in all
    lines = [TaxableLine(net, "standard", RATES["standard"]) for net in (1000, -997)]
    assert document_tax(lines, currency_of("EUR")).line_tax_minor == (190, -189)
