"""What tax does a document carry, and which part of it belongs to each line?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, allocate


@dataclass(frozen=True, slots=True)
class TaxableLine:
    """A line's net amount in minor units, with its category and rate."""

    net_minor: int
    category: str
    rate: Decimal


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


@dataclass(frozen=True, slots=True)
class DocumentTax:
    """A document's tax: per rate, and per line in the order of the lines; both have one sum."""

    parts: tuple[TaxPart, ...]
    line_tax_minor: tuple[int, ...]

    @property
    def total_minor(self) -> int:
        return sum(part.tax_minor for part in self.parts)


def document_tax(lines: Sequence[TaxableLine], currency: Currency) -> DocumentTax:
    """Tax per rate on the document's total, rounded half up once per rate.

    Rounding per line would make the sum of the lines differ from the tax on the sum, and credit notes
    from their invoice; so the total decides, and the lines share it by largest remainder.
    """
    groups: dict[Decimal, list[int]] = {}
    for index, line in enumerate(lines):
        groups.setdefault(line.rate, []).append(index)
    parts: list[TaxPart] = []
    shares = [0] * len(lines)
    for rate, members in groups.items():
        nets = [lines[index].net_minor for index in members]
        base = Money(sum(nets), currency)
        tax = base.share(rate)
        parts.append(TaxPart(lines[members[0]].category, rate, base.amount_minor, tax.amount_minor))
        for index, share in zip(members, _share(tax, nets), strict=True):
            shares[index] = share
    return DocumentTax(tuple(parts), tuple(shares))


def _share(tax: Money, nets: Sequence[int]) -> list[int]:
    """Allocate by net amount. A credit beside a charge has the opposite sign: it keeps its own
    rounded tax's sign by allocating over signed exact shares and giving the residue to the largest.
    """
    if len(nets) == 1:
        return [tax.amount_minor]
    if all(net >= 0 for net in nets) or all(net <= 0 for net in nets):
        if not any(nets):
            return [0] * len(nets)
        return [part.amount_minor for part in allocate(tax, [abs(net) for net in nets])]
    total = sum(nets)
    if total == 0:
        return [0] * len(nets)
    exact = [Fraction(tax.amount_minor * net, total) for net in nets]
    floors = [part.numerator // part.denominator for part in exact]
    residue = tax.amount_minor - sum(floors)
    order = sorted(range(len(nets)), key=lambda index: (floors[index] - exact[index], index))
    for index in order[:residue]:
        floors[index] += 1
    return floors
