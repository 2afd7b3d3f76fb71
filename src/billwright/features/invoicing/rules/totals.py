"""What do the lines of a document add up to?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billwright.features.invoicing.model import NewCharge
from billwright.features.tax.rules.document_tax import DocumentTax, TaxableLine, document_tax
from billwright.kernel.currency import Currency
from billwright.kernel.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Totals:
    """A document's amounts in minor units; subtotal and tax make the total.

    The subtotal is without tax, also where prices contain it.
    """

    subtotal_minor: int
    tax: DocumentTax
    total_minor: int
    rates: tuple[Decimal, ...]


def totals_of(
    charges: Sequence[NewCharge], currency: Currency, *, rate_of: Callable[[NewCharge], Decimal]
) -> Totals:
    """The totals of charges, each taxed at its rate, a share."""
    rates = tuple([rate_of(charge) for charge in charges])
    tax = document_tax(
        [
            TaxableLine(charge.amount_minor, charge.tax_category, rate, charge.tax_inclusive)
            for charge, rate in zip(charges, rates, strict=True)
        ],
        currency,
    )
    subtotal_minor = sum(tax.line_net_minor)
    return Totals(subtotal_minor, tax, subtotal_minor + tax.total_minor, rates)
