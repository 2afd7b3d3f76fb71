"""How much is it, and how is an amount rounded and split without losing a minor unit?

Money is a whole number of minor units and a currency. Rounding from an exact amount happens in
`round_to_minor` alone, which states its mode; splitting happens in `allocate`, whose parts always
sum to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import Self

from billwright.kernel.currency import Currency
from billwright.kernel.quick import quickly_made
from billwright.kernel.refusal import Category, RefusalCode

amount_too_fine = RefusalCode(
    "amount_too_fine",
    Category.INVALID,
    "{amount} is finer than the smallest unit of {currency}, which has {exponent} decimal places.",
)
amount_out_of_range = RefusalCode(
    "amount_out_of_range",
    Category.INVALID,
    "{amount} {currency} is not an amount that can be kept.",
)

# Stored amounts are signed 64 bit integers.
_LARGEST_MINOR = 2**63 - 1
_LARGEST_MAGNITUDE = 19


class CurrencyMismatch(TypeError):  # noqa: N818 - it names the mistake
    """Amounts of two currencies were combined: a bug of the caller, never a refusal."""


class Rounding(StrEnum):
    """What happens to a fraction of a minor unit; the `half` modes differ only on an exact half."""

    HALF_UP = "half_up"
    """To the nearest, a half away from zero: commercial rounding."""
    HALF_EVEN = "half_even"
    """To the nearest, a half to the even neighbor."""
    HALF_DOWN = "half_down"
    """To the nearest, a half toward zero."""
    UP = "up"
    """Away from zero."""
    DOWN = "down"
    """Toward zero."""
    CEILING = "ceiling"
    """Toward positive infinity."""
    FLOOR = "floor"
    """Toward negative infinity."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Money:
    """A whole number of minor units; negative amounts are credits.

    Sums, differences and order exist within one currency and raise `CurrencyMismatch` across two.
    Equality never raises: amounts of two currencies are simply not equal, zero included.
    """

    amount_minor: int
    currency: Currency

    @classmethod
    def zero(cls, currency: Currency) -> Self:
        return cls(0, currency)

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: Currency) -> Self:
        """An amount in major units, exactly; refuses a finer one and one beyond 64 bits.

        Trailing zeros are not finer: `19.990` EUR is 19.99 EUR.
        """
        if not amount.is_finite() or amount.adjusted() > _LARGEST_MAGNITUDE:
            raise amount_out_of_range(amount=str(amount), currency=currency.code)
        if amount and amount.adjusted() < -currency.exponent:
            raise _too_fine(amount, currency)
        numerator, denominator = amount.as_integer_ratio() if amount else (0, 1)
        amount_minor, rest = divmod(numerator * 10**currency.exponent, denominator)
        if rest:
            raise _too_fine(amount, currency)
        if abs(amount_minor) > _LARGEST_MINOR:
            raise amount_out_of_range(amount=str(amount), currency=currency.code)
        return cls(amount_minor, currency)

    def to_decimal(self) -> Decimal:
        """The amount in major units, with exactly as many decimal places as the currency has."""
        return Decimal(f"{self.amount_minor}E-{self.currency.exponent}")

    @property
    def is_zero(self) -> bool:
        return self.amount_minor == 0

    def __str__(self) -> str:
        return f"{self.to_decimal()} {self.currency.code}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + _minor_in(self.currency, other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - _minor_in(self.currency, other), self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.amount_minor * count, self.currency)

    def share(self, rate: Fraction | Decimal | int, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """This amount times a rate, exactly, rounded once: the tax on it, a percentage of it."""
        numerator, denominator = rate.as_integer_ratio()
        return Money(
            _round_ratio(
                numerator=self.amount_minor * numerator, denominator=denominator, rounding=rounding
            ),
            self.currency,
        )

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount_minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < _minor_in(self.currency, other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= _minor_in(self.currency, other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > _minor_in(self.currency, other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= _minor_in(self.currency, other)


def _too_fine(amount: Decimal, currency: Currency) -> Exception:
    return amount_too_fine(amount=str(amount), currency=currency.code, exponent=currency.exponent)


def _minor_in(currency: Currency, money: Money) -> int:
    """The minor units of an amount, once it is certain that they are those of the currency."""
    if money.currency is not currency and money.currency != currency:
        raise CurrencyMismatch(f"{money} is not an amount in {currency}")
    return money.amount_minor


def sum_money(items: Iterable[Money], currency: Currency) -> Money:
    """The total of the items in the currency given, which also an empty sum has."""
    return Money(sum(_minor_in(currency, item) for item in items), currency)


def round_to_minor(
    amount: Fraction | Decimal | int,
    *,
    currency: Currency,
    rounding: Rounding = Rounding.HALF_UP,
) -> Money:
    """An exact amount in major units, rounded once to whole minor units.

    The arithmetic is exact for every input; the precision of the decimal context plays no part.
    """
    numerator, denominator = amount.as_integer_ratio()
    return Money(
        _round_ratio(
            numerator=numerator * 10**currency.exponent, denominator=denominator, rounding=rounding
        ),
        currency,
    )


def _round_ratio(*, numerator: int, denominator: int, rounding: Rounding) -> int:
    floor, rest = divmod(numerator, denominator)
    if rest == 0:
        return floor
    positive = numerator > 0
    twice = 2 * rest
    match rounding:
        case Rounding.HALF_UP:
            ceil = twice > denominator or (twice == denominator and positive)
        case Rounding.HALF_EVEN:
            ceil = twice > denominator or (twice == denominator and floor % 2 == 1)
        case Rounding.HALF_DOWN:
            ceil = twice > denominator or (twice == denominator and not positive)
        case Rounding.UP:
            ceil = positive
        case Rounding.DOWN:
            ceil = not positive
        case Rounding.CEILING:
            ceil = True
        case Rounding.FLOOR:
            ceil = False
    return floor + 1 if ceil else floor


def allocate(total: Money, weights: Sequence[int | Fraction]) -> list[Money]:
    """Split a total in proportion to weights, by largest remainder.

    The parts sum to the total, each differs from its exact share by less than one minor unit, a
    zero weight gets zero, and equal remainders favor the earlier part. A negative total is split
    like the positive one, negated. Weights that are negative or all zero raise `ValueError`.
    """
    whole_weights = _whole(weights)
    weight_sum = sum(whole_weights)
    if weight_sum == 0 or min(whole_weights) < 0:
        raise ValueError("weights must not be negative and not all zero")
    amount = abs(total.amount_minor)
    parts: list[int] = []
    remainders: list[int] = []
    for weight in whole_weights:
        part, remainder = divmod(amount * weight, weight_sum)
        parts.append(part)
        remainders.append(remainder)
    left_over = amount - sum(parts)
    if left_over:
        # The sort is stable, also in reverse: of equal remainders the earlier part comes first.
        order = sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)
        for position in order[:left_over]:
            parts[position] += 1
    sign = -1 if total.amount_minor < 0 else 1
    return [Money(sign * part, total.currency) for part in parts]


def _whole(weights: Sequence[int | Fraction]) -> list[int]:
    """The same proportions in whole numbers."""
    if all(type(weight) is int for weight in weights):
        return list(weights)  # type: ignore[arg-type]
    scale = lcm(*(weight.denominator for weight in weights))
    return [weight.numerator * (scale // weight.denominator) for weight in weights]
