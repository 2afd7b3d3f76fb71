"""Is money added, rounded and split without losing a minor unit?"""

import decimal
import operator
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billwright.kernel.currency import currency_of
from billwright.kernel.money import (
    CurrencyMismatch,
    Money,
    Rounding,
    allocate,
    round_to_minor,
    sum_money,
)
from billwright.kernel.refusal import Category, Refusal

JPY, EUR, KWD = currency_of("JPY"), currency_of("EUR"), currency_of("KWD")

currencies = st.sampled_from([JPY, EUR, KWD])
minor = st.integers(-(2**63) + 1, 2**63 - 1)
rationals = st.fractions(max_denominator=10**6)
weights = st.lists(
    st.one_of(st.integers(0, 10**9), st.fractions(0, 1000, max_denominator=1000)),
    min_size=1,
    max_size=12,
).filter(any)

DECIMAL_MODE = {
    Rounding.HALF_UP: decimal.ROUND_HALF_UP,
    Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    Rounding.HALF_DOWN: decimal.ROUND_HALF_DOWN,
    Rounding.UP: decimal.ROUND_UP,
    Rounding.DOWN: decimal.ROUND_DOWN,
    Rounding.CEILING: decimal.ROUND_CEILING,
    Rounding.FLOOR: decimal.ROUND_FLOOR,
}


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1999, EUR), "19.99 EUR"),
        (Money(-5, EUR), "-0.05 EUR"),
        (Money(0, EUR), "0.00 EUR"),
        (Money(1000, JPY), "1000 JPY"),
        (Money(1, KWD), "0.001 KWD"),
        (Money(1, currency_of("CLF")), "0.0001 CLF"),
    ],
)
def test_it_prints_its_amount_and_currency(money, text):
    assert str(money) == text


@settings(deadline=None)
@given(minor, currencies)
def test_decimal_and_back(amount_minor, currency):
    money = Money(amount_minor, currency)
    with decimal.localcontext(prec=3):
        assert Money.from_decimal(money.to_decimal(), currency) == money
    assert money.to_decimal() * 10**currency.exponent == amount_minor
    assert money.to_decimal().as_tuple().exponent == -currency.exponent


def test_trailing_zeros_are_not_finer():
    assert Money.from_decimal(Decimal("19.9900"), EUR) == Money(1999, EUR)
    assert Money.from_decimal(Decimal("1E+3"), JPY) == Money(1000, JPY)
    assert Money.from_decimal(Decimal("-0E-900000"), JPY) == Money(0, JPY)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.001", EUR), ("19.999", EUR), ("0.5", JPY), ("-0.0001", KWD), ("1E-900000", EUR)],
)
def test_an_amount_finer_than_the_minor_unit_is_refused(amount, currency):
    with pytest.raises(Refusal) as refused:
        Money.from_decimal(Decimal(amount), currency)
    assert (refused.value.code, refused.value.category) == ("amount_too_fine", Category.INVALID)
    assert refused.value.facts["exponent"] == currency.exponent


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1E+900000", "1E+18"])
def test_an_amount_beyond_what_is_stored_is_refused(amount):
    with pytest.raises(Refusal) as refused:
        Money.from_decimal(Decimal(amount), EUR)
    assert refused.value.code == "amount_out_of_range"


def test_arithmetic():
    assert Money(1999, EUR) + Money(1, EUR) == Money(2000, EUR)
    assert Money(1999, EUR) - Money(2000, EUR) == Money(-1, EUR)
    assert Money(1999, EUR) * 3 == Money(5997, EUR)
    assert -Money(1, EUR) == Money(-1, EUR)
    assert abs(Money(-1, EUR)) == Money(1, EUR)
    assert Money.zero(EUR).is_zero
    assert not Money(1, EUR).is_zero
    assert Money(1, EUR) < Money(2, EUR) <= Money(2, EUR)
    assert max(Money(1, EUR), Money(3, EUR), Money(2, EUR)) == Money(3, EUR)
    assert sum_money([Money(1, EUR), Money(2, EUR)], EUR) == Money(3, EUR)
    assert sum_money([], JPY) == Money.zero(JPY)


@pytest.mark.parametrize(
    "combine",
    [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge],
)
def test_two_currencies_never_combine(combine):
    with pytest.raises(CurrencyMismatch):
        combine(Money(1, EUR), Money(1, JPY))


def test_a_sum_never_mixes_currencies():
    with pytest.raises(CurrencyMismatch):
        sum_money([Money(1, JPY)], EUR)


def test_equal_amounts_of_two_currencies_are_not_equal():
    assert Money.zero(EUR) != Money.zero(JPY)
    assert len({Money(1, EUR), Money(1, JPY), Money(1, EUR)}) == 2


def test_money_that_crossed_a_process_still_combines():
    copy = pickle.loads(pickle.dumps(Money(1, EUR)))  # noqa: S301
    assert copy + Money(1, EUR) == Money(2, EUR)


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [
        (Rounding.HALF_UP, (2, 3, -2, -3, 3)),
        (Rounding.HALF_EVEN, (2, 2, -2, -2, 3)),
        (Rounding.HALF_DOWN, (1, 2, -1, -2, 3)),
        (Rounding.UP, (2, 3, -2, -3, 3)),
        (Rounding.DOWN, (1, 2, -1, -2, 2)),
        (Rounding.CEILING, (2, 3, -1, -2, 3)),
        (Rounding.FLOOR, (1, 2, -2, -3, 2)),
    ],
)
def test_rounding_by_hand(mode, rounded):
    amounts = ["0.015", "0.025", "-0.015", "-0.025", "0.0251"]
    assert (
        tuple(
            round_to_minor(Decimal(amount), currency=EUR, rounding=mode).amount_minor
            for amount in amounts
        )
        == rounded
    )


@settings(deadline=None)
@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=7, min_value=-(10**15), max_value=10**15
    ),
    currencies,
    st.sampled_from(Rounding),
)
def test_rounding_agrees_with_the_decimal_module(amount, currency, mode):
    with decimal.localcontext(prec=60):
        expected = amount.quantize(Decimal(1).scaleb(-currency.exponent), DECIMAL_MODE[mode])
    with decimal.localcontext(prec=2):
        rounded = round_to_minor(amount, currency=currency, rounding=mode)
    assert rounded.to_decimal() == expected


@settings(deadline=None)
@given(rationals, currencies, st.sampled_from(Rounding))
def test_rounding_moves_less_than_a_minor_unit_and_the_nearest_at_most_half(amount, currency, mode):
    rounded = round_to_minor(amount, currency=currency, rounding=mode)
    distance = abs(rounded.amount_minor - amount * 10**currency.exponent)
    assert distance < 1
    if mode.value.startswith("half"):
        assert distance <= Fraction(1, 2)


@given(st.integers(-(10**9), 10**9), currencies, st.sampled_from(Rounding))
def test_whole_amounts_are_never_changed(amount, currency, mode):
    assert round_to_minor(amount, currency=currency, rounding=mode) == Money(
        amount * 10**currency.exponent, currency
    )


@settings(deadline=None)
@given(minor, currencies, weights)
def test_parts_sum_to_the_whole(amount_minor, currency, shares):
    total = Money(amount_minor, currency)
    parts = allocate(total, shares)
    assert sum_money(parts, currency) == total
    for part, share in zip(parts, shares, strict=True):
        exact = Fraction(amount_minor) * share / sum(Fraction(weight) for weight in shares)
        assert abs(part.amount_minor - exact) < 1
        if share == 0:
            assert part.is_zero


@settings(deadline=None)
@given(st.integers(0, 10**12), weights)
def test_a_negative_total_is_split_like_its_opposite(amount_minor, shares):
    assert allocate(Money(-amount_minor, EUR), shares) == [
        -part for part in allocate(Money(amount_minor, EUR), shares)
    ]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 20))
def test_of_equal_weights_the_earlier_gets_the_odd_unit(amount_minor, weight, count):
    parts = [part.amount_minor for part in allocate(Money(amount_minor, EUR), [weight] * count)]
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (5, [3, 7], [2, 3]),
        (1, [0, 1, 1, 0], [0, 1, 0, 0]),
        (100, [Fraction(1, 3), Fraction(2, 3)], [33, 67]),
        (0, [1, 2], [0, 0]),
        # 10 in the ratio 2:3:4 is 2.22, 3.33, 4.44: the largest remainder is the last.
        (10, [2, 3, 4], [2, 3, 5]),
    ],
)
def test_allocation_by_hand(total, shares, parts):
    assert [part.amount_minor for part in allocate(Money(total, EUR), shares)] == parts


@pytest.mark.parametrize("shares", [[], [0], [0, 0], [1, -1], [2, -1]])
def test_weights_that_mean_nothing_are_a_bug(shares):
    with pytest.raises(ValueError, match="weights"):
        allocate(Money(100, EUR), shares)
