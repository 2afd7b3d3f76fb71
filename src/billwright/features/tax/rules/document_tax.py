"""What tax does a document carry, and which part of it belongs to each line?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, allocate
from billwright.kernel.quick import quickly_made


class TaxGroup(NamedTuple):
    """Lines whose tax is rounded once, together: those of one rate, with prices of one kind."""

    rate: Decimal
    inclusive: bool = False


@quickly_made
@dataclass(frozen=True, slots=True)
class TaxableLine:
    """A line's amount in minor units, with its category and rate; the amount is net, or what the buyer
    pays where it is `inclusive`.
    """

    net_minor: int
    category: str
    rate: Decimal
    inclusive: bool = False


@quickly_made
@dataclass(frozen=True, slots=True)
class TaxPart:
    """One row of the breakdown: what was taxed at one rate, and the tax on it, in minor units.

    `category` is that of the first line; others with the same rate are in the same row, since the law
    and EN 16931 know rates only.
    """

    category: str
    rate: Decimal
    base_minor: int
    tax_minor: int


@quickly_made
@dataclass(frozen=True, slots=True)
class DocumentTax:
    """A document's tax: per rate, and per line in the order of the lines; both have one sum. The net
    amounts of the lines sum to the bases of the rates.
    """

    parts: tuple[TaxPart, ...]
    line_tax_minor: tuple[int, ...]
    line_net_minor: tuple[int, ...]

    @property
    def total_minor(self) -> int:
        return sum(part.tax_minor for part in self.parts)


def document_tax(lines: Sequence[TaxableLine], currency: Currency) -> DocumentTax:
    """Tax per rate on the document's total, rounded half up once for each group.

    Rounding per line would make the sum of the lines differ from the tax on the sum, and credit notes
    from their invoice; so the total decides, and the lines share it by largest remainder. Of inclusive
    prices the net total is rounded, and the tax is the rest: what was agreed stays what is paid.
    """

    def shares_of(group: TaxGroup, amounts: Sequence[int]) -> Sequence[int]:
        tax = _tax(Money(sum(amounts), currency), group)
        return _share(tax, group=group, amounts=amounts)

    return _by_group(lines, shares_of)


def capped_document_tax(
    lines: Sequence[TaxableLine],
    currency: Currency,
    *,
    remaining: Mapping[TaxGroup, int],
    exhausts: AbstractSet[TaxGroup],
) -> DocumentTax:
    """Tax of a credit note, such that all notes on an invoice carry exactly the invoice's tax.

    `lines` are credits, so negative or zero. `remaining` is, in positive minor units, the tax that the
    invoice's lines of each group still carry after earlier credits: a note takes what `document_tax`
    says but no more than that, and all of it where it takes the last amount of a group (`exhausts`).
    Groups are told apart, because a cent of tax that moved from inclusive prices to others would
    change what the notes pay back.
    """

    def shares_of(group: TaxGroup, amounts: Sequence[int]) -> Sequence[int]:
        tax = remaining[group]
        if group not in exhausts:
            tax = min(tax, -_tax(Money(sum(amounts), currency), group))
        if tax == 0:
            return [0] * len(amounts)
        # Tax alone, without an amount, is shared equally.
        weights = [-amount for amount in amounts] if any(amounts) else [1] * len(amounts)
        parts = allocate(Money(-tax, currency), weights)
        return [part.amount_minor for part in parts]

    return _by_group(lines, shares_of)


def tax_within(gross: Money, rate: Decimal) -> int:
    """The tax in an amount that contains it, in minor units: what is not the net, which is rounded."""
    return _tax(gross, TaxGroup(rate, inclusive=True))


def _by_group(
    lines: Sequence[TaxableLine], shares_of: Callable[[TaxGroup, Sequence[int]], Sequence[int]]
) -> DocumentTax:
    """The document's tax, when `shares_of` answers the tax of each amount of a group."""
    parts: dict[Decimal, TaxPart] = {}
    taxes = [0] * len(lines)
    nets = [line.net_minor for line in lines]
    for group, members in _groups(lines):
        rate, inclusive = group
        amounts = [nets[index] for index in members]
        shares = shares_of(group, amounts)
        base, tax = sum(amounts), sum(shares)
        for index, share in zip(members, shares, strict=True):
            taxes[index] = share
            if inclusive:
                nets[index] -= share
        if inclusive:
            base -= tax
        category = lines[members[0]].category
        if other := parts.get(rate):
            category, base, tax = other.category, base + other.base_minor, tax + other.tax_minor
        parts[rate] = TaxPart(category, rate, base, tax)
    return DocumentTax(tuple(parts.values()), tuple(taxes), tuple(nets))


def _groups(lines: Sequence[TaxableLine]) -> Iterable[tuple[TaxGroup, Sequence[int]]]:
    """The places of the lines of each group. Most documents have one, and hashing decimals takes time."""
    if lines and all(line.rate is lines[0].rate and not line.inclusive for line in lines):
        return ((TaxGroup(lines[0].rate), range(len(lines))),)
    groups: dict[TaxGroup, list[int]] = {}
    for index, line in enumerate(lines):
        groups.setdefault(TaxGroup(line.rate, line.inclusive), []).append(index)
    return groups.items()


def _tax(total: Money, group: TaxGroup) -> int:
    if group.inclusive:
        return (total - total.share(_net_share(group.rate))).amount_minor
    return total.share(group.rate).amount_minor


@lru_cache(maxsize=1_000)
def _net_share(rate: Decimal) -> Fraction:
    """The part of an inclusive price that is not tax."""
    return 1 / (1 + Fraction(rate))


def _share(tax_minor: int, *, group: TaxGroup, amounts: Sequence[int]) -> list[int]:
    """Each line's own tax, rounded down, and one unit more for the largest remainders until the sum
    is the document's; a credit beside a charge thereby keeps a tax of its own sign and size. What is
    negative altogether is shared like its opposite, so that crediting everything takes back the same.
    """
    if len(amounts) == 1:
        return [tax_minor]
    if (sum(amounts) or next(filter(None, amounts), 0)) < 0:
        opposite = _share(-tax_minor, group=group, amounts=[-amount for amount in amounts])
        return [-share for share in opposite]
    numerator, denominator = group.rate.as_integer_ratio()
    if group.inclusive:
        denominator += numerator
    exact = [divmod(amount * numerator, denominator) for amount in amounts]
    shares = [whole for whole, _ in exact]
    missing = tax_minor - sum(shares)
    if missing:
        # The sort is stable, also in reverse: of equal remainders the earlier line comes first.
        order = sorted(range(len(amounts)), key=lambda index: exact[index][1], reverse=True)
        for index in order[:missing]:
            shares[index] += 1
    return shares
