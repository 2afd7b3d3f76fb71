"""What does a credit note take back of its invoice?

Only what the invoice itself charged: a line on it that corrects another charge belongs to that one. A
line never gives back more than it has left, nor a group of lines (of one tax rate, with prices of one
kind) more than its sum, which lines below zero make smaller. The tax follows the amounts, and who takes
the last of a group takes all of its tax; so all notes on an invoice sum to it exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.errors import (
    credit_line_repeated,
    credit_line_unknown,
    credit_not_positive,
    credit_too_large,
    nothing_to_credit,
)
from billwright.features.invoicing.model import InvoiceLine
from billwright.features.tax.rules.document_tax import (
    DocumentTax,
    TaxableLine,
    TaxGroup,
    capped_document_tax,
    document_tax,
)
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, allocate


@dataclass(frozen=True, slots=True)
class CreditLine:
    """What is asked for of one line: an amount in minor units, or all that it has left."""

    charge_id: UUID
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class CreditableLine:
    """A line of a finalized invoice with what has been given back of it, in minor units.

    `credited_minor` of its amount was given back, and `credited_tax_minor` of its tax with that, but
    for `waiting_minor` of the amount, whose credit is on no document yet and so has no tax.
    """

    line: InvoiceLine
    credited_minor: int = 0
    credited_tax_minor: int = 0
    waiting_minor: int = 0

    @property
    def group(self) -> TaxGroup:
        return TaxGroup(self.line.tax_rate, self.line.tax_inclusive)

    @property
    def left_minor(self) -> int:
        """What it may still give back, looked at alone."""
        return max(self.line.amount_minor - self.credited_minor, 0)


@dataclass(frozen=True, slots=True)
class Credit:
    """What a note gives back of a line: minor units above zero, with the tax where the price has it."""

    line: InvoiceLine
    amount_minor: int


def everything_left(lines: Sequence[CreditableLine], *, currency: Currency) -> tuple[Credit, ...]:
    """All that an invoice has left. Refuses: `nothing_to_credit`."""
    amounts: dict[UUID, int] = {}
    for members in tax_groups(lines).values():
        weights = [each.left_minor for each in members]
        left_minor = min(sum(weights), amount_left(members))
        if left_minor > 0:
            parts = allocate(Money(left_minor, currency), weights)
            amounts |= {
                each.line.id: part.amount_minor for each, part in zip(members, parts, strict=True)
            }
    return _credits(lines, amounts)


def spread_over_lines(
    lines: Sequence[CreditableLine], *, amount_minor: int, currency: Currency
) -> tuple[Credit, ...]:
    """An amount shared over all lines in proportion to what they have left.

    Refuses: `credit_not_positive`, `nothing_to_credit`, `credit_too_large`.
    """
    if amount_minor <= 0:
        raise credit_not_positive(pointer="/amount")
    left = everything_left(lines, currency=currency)
    left_minor = sum(credit.amount_minor for credit in left)
    if amount_minor > left_minor:
        raise too_large(amount_minor, left_minor=left_minor, currency=currency, pointer="/amount")
    parts = allocate(Money(amount_minor, currency), [credit.amount_minor for credit in left])
    return _credits(
        lines,
        {credit.line.id: part.amount_minor for credit, part in zip(left, parts, strict=True)},
    )


def of_lines(
    lines: Sequence[CreditableLine], wanted: Sequence[CreditLine], *, currency: Currency
) -> tuple[Credit, ...]:
    """Amounts of single lines.

    Refuses: `credit_line_unknown`, `credit_line_repeated`, `credit_not_positive`,
    `credit_too_large`, `nothing_to_credit`.
    """
    groups = tax_groups(lines)
    known: dict[UUID, CreditableLine] = {
        each.line.id: each for members in groups.values() for each in members
    }
    amounts: dict[UUID, int] = {}
    for index, one in enumerate(wanted):
        pointer = f"/lines/{index}"
        found = known.get(one.charge_id)
        if found is None:
            raise credit_line_unknown(pointer=f"{pointer}/line_id", charge_id=one.charge_id)
        if one.charge_id in amounts:
            raise credit_line_repeated(pointer=f"{pointer}/line_id", charge_id=one.charge_id)
        # What the same request takes of other lines counts, for their group may have less than they.
        taken_minor = sum(amounts.get(each.line.id, 0) for each in groups[found.group])
        left_minor = min(found.left_minor, max(amount_left(groups[found.group]) - taken_minor, 0))
        amount_minor = left_minor if one.amount_minor is None else one.amount_minor
        if amount_minor < 0 or one.amount_minor == 0:
            raise credit_not_positive(pointer=f"{pointer}/amount")
        if amount_minor > left_minor:
            raise too_large(
                amount_minor,
                left_minor=left_minor,
                currency=currency,
                pointer=f"{pointer}/amount",
            )
        amounts[one.charge_id] = amount_minor
    return _credits(lines, amounts)


def credit_tax(
    lines: Sequence[CreditableLine], note: Sequence[Credit], *, currency: Currency
) -> DocumentTax:
    """The tax of a note that is to be made of credits, in their order; amounts below zero."""
    given: dict[TaxGroup, int] = defaultdict(int)
    for credit in note:
        given[TaxGroup(credit.line.tax_rate, credit.line.tax_inclusive)] += credit.amount_minor
    groups = tax_groups(lines)
    return capped_document_tax(
        [_taxable(credit.line, -credit.amount_minor) for credit in note],
        currency,
        remaining={
            group: tax_left(members, currency=currency) for group, members in groups.items()
        },
        exhausts=frozenset(
            group for group, members in groups.items() if given[group] == amount_left(members)
        ),
    )


def tax_groups(lines: Sequence[CreditableLine]) -> dict[TaxGroup, list[CreditableLine]]:
    """The lines that can be credited, by what their tax is rounded together with."""
    groups: dict[TaxGroup, list[CreditableLine]] = defaultdict(list)
    for each in lines:
        if each.line.corrects_charge_id is None:
            groups[each.group].append(each)
    return groups


def amount_left(members: Sequence[CreditableLine]) -> int:
    """What the lines of a group may still give back together, in minor units."""
    return sum(each.line.amount_minor - each.credited_minor for each in members)


def tax_left(members: Sequence[CreditableLine], *, currency: Currency) -> int:
    """The tax that a group still carries, less what credits that wait for a document will take with
    them.
    """
    waiting = [_taxable(each.line, each.waiting_minor) for each in members if each.waiting_minor]
    left_minor = sum(each.line.tax_minor - each.credited_tax_minor for each in members)
    return max(left_minor - document_tax(waiting, currency).total_minor, 0)


def _taxable(line: InvoiceLine, amount_minor: int) -> TaxableLine:
    return TaxableLine(amount_minor, line.tax_category, line.tax_rate, line.tax_inclusive)


def _credits(lines: Sequence[CreditableLine], amounts: dict[UUID, int]) -> tuple[Credit, ...]:
    note = tuple(
        Credit(each.line, amounts[each.line.id]) for each in lines if amounts.get(each.line.id)
    )
    if not note:
        raise nothing_to_credit()
    return note


def too_large(amount_minor: int, *, left_minor: int, currency: Currency, pointer: str) -> Exception:
    """The refusal `credit_too_large`, in words of money."""
    return credit_too_large(
        pointer=pointer,
        amount=str(Money(amount_minor, currency)),
        left=str(Money(left_minor, currency)),
    )
