"""How is an amount with tax given back of an invoice, exactly?

A payer is paid back what they are paid back, and the note about it has that total. Each tax group gives
its share of the amount by largest remainder, and the tax in it is taken out at the group's rate, within
one minor unit: that it comes out right to the last unit matters more than where a unit of tax stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billwright.features.invoicing.errors import credit_not_positive, nothing_to_credit
from billwright.features.invoicing.rules.credit_note import (
    Credit,
    CreditableLine,
    amount_left,
    tax_groups,
    tax_left,
    too_large,
)
from billwright.features.tax.rules.document_tax import (
    DocumentTax,
    TaxableLine,
    TaxGroup,
    capped_document_tax,
    tax_within,
)
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, allocate


@dataclass(frozen=True, slots=True)
class _Group:
    """What lines of one tax rate, with prices of one kind, have left, in minor units."""

    key: TaxGroup
    members: Sequence[CreditableLine]
    amount_minor: int
    tax_minor: int

    @property
    def gross_minor(self) -> int:
        return self.amount_minor + (0 if self.key.inclusive else self.tax_minor)


def gross_left(lines: Sequence[CreditableLine], *, currency: Currency) -> int:
    """All that an invoice has left with its tax, in minor units."""
    return sum(group.gross_minor for group in _groups(lines, currency=currency))


def of_gross(
    lines: Sequence[CreditableLine], *, gross_minor: int, currency: Currency
) -> tuple[tuple[Credit, ...], DocumentTax]:
    """What each line gives for a note whose total is exactly `gross_minor`, and the note's tax.

    Refuses: `credit_not_positive`, `nothing_to_credit`, `credit_too_large`.
    """
    if gross_minor <= 0:
        raise credit_not_positive(pointer="/amount")
    groups = _groups(lines, currency=currency)
    if not groups:
        raise nothing_to_credit()
    left_minor = sum(group.gross_minor for group in groups)
    if gross_minor > left_minor:
        raise too_large(gross_minor, left_minor=left_minor, currency=currency, pointer="/amount")
    shares = allocate(Money(gross_minor, currency), [group.gross_minor for group in groups])
    given: list[Credit] = []
    taxes: dict[TaxGroup, int] = {}
    for group, share in zip(groups, shares, strict=True):
        if share.amount_minor:
            amount_minor, taxes[group.key] = _split(group, share)
            given += _of_group(group, amount_minor=amount_minor, currency=currency)
    tax = capped_document_tax(
        [
            TaxableLine(
                -credit.amount_minor,
                credit.line.tax_category,
                credit.line.tax_rate,
                credit.line.tax_inclusive,
            )
            for credit in given
        ],
        currency,
        remaining=taxes,
        exhausts=frozenset(taxes),
    )
    return tuple(given), tax


def _groups(lines: Sequence[CreditableLine], *, currency: Currency) -> list[_Group]:
    """The groups that have something left, in the order of the lines."""
    groups = [
        _Group(key, members, amount_left(members), tax_left(members, currency=currency))
        for key, members in tax_groups(lines).items()
    ]
    return [group for group in groups if group.amount_minor > 0]


def _split(group: _Group, gross: Money) -> tuple[int, int]:
    """A share with tax as the amount in the terms of the lines, and the tax.

    Who takes all takes all of the tax; who does not leaves an amount for the rest of the tax to stand
    by, and takes no more tax than is left. Where a single unit of the amount is left to stand by more
    than one of tax, the share is tax alone.
    """
    gross_minor = gross.amount_minor
    if gross_minor == group.gross_minor:
        return group.amount_minor, group.tax_minor
    tax_minor = min(tax_within(gross, group.key.rate), group.tax_minor)
    if group.key.inclusive:
        return gross_minor, tax_minor
    amount_minor = max(gross_minor - tax_minor, 1)
    amount_minor = min(amount_minor, group.amount_minor - 1)
    return amount_minor, gross_minor - amount_minor


def _of_group(group: _Group, *, amount_minor: int, currency: Currency) -> list[Credit]:
    weights = [each.left_minor for each in group.members]
    parts = allocate(Money(amount_minor, currency), weights)
    given = [
        Credit(each.line, part.amount_minor)
        for each, part in zip(group.members, parts, strict=True)
        if part.amount_minor
    ]
    # Tax alone stands by a line that has something left.
    return given or [next(Credit(each.line, 0) for each in group.members if each.left_minor)]
