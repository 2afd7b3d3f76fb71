"""What tax does a document carry, and which part of it belongs to each line?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billwright.kernel.currency import Currency
from billwright.kernel.money import Money


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
        for index, share in zip(
            members, _share(tax.amount_minor, rate=rate, nets=nets), strict=True
        ):
            shares[index] = share
    return DocumentTax(tuple(parts), tuple(shares))


def _share(tax_minor: int, *, rate: Decimal, nets: Sequence[int]) -> list[int]:
    """Each line's own tax, rounded down, and one unit more for the largest remainders until the sum
    is the document's; a credit beside a charge thereby keeps a tax of its own sign and size. What is
    negative altogether is shared like its opposite, so that crediting everything takes back the same.
    """
    if (sum(nets) or next(filter(None, nets), 0)) < 0:
        opposite = _share(-tax_minor, rate=rate, nets=[-net for net in nets])
        return [-share for share in opposite]
    numerator, denominator = rate.as_integer_ratio()
    exact = [divmod(net * numerator, denominator) for net in nets]
    shares = [whole for whole, _ in exact]
    missing = tax_minor - sum(shares)
    if missing:
        # The sort is stable, also in reverse: of equal remainders the earlier line comes first.
        order = sorted(range(len(nets)), key=lambda index: exact[index][1], reverse=True)
        for index in order[:missing]:
            shares[index] += 1
    return shares
