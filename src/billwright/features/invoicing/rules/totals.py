"""What do a draft's lines add up to?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from billwright.features.invoicing.model import InvoiceDraft, NewCharge
from billwright.features.tax.rules.document_tax import DocumentTax, TaxableLine, document_tax


@dataclass(frozen=True, slots=True)
class Totals:
    """An invoice's amounts in minor units; subtotal and tax make the total."""

    subtotal_minor: int
    tax: DocumentTax
    rates: tuple[Decimal, ...]

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.tax.total_minor


def totals_of(draft: InvoiceDraft, *, rate_of: Callable[[NewCharge], Decimal]) -> Totals:
    """The totals of a draft, each charge taxed at its rate, a share."""
    rates = tuple(rate_of(charge) for charge in draft.charges)
    lines = [
        TaxableLine(charge.amount_minor, charge.tax_category, rate)
        for charge, rate in zip(draft.charges, rates, strict=True)
    ]
    return Totals(sum(line.net_minor for line in lines), document_tax(lines, draft.currency), rates)
