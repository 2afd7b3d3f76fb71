"""What stands on a credit note?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billwright.features.invoicing.model import Invoice, InvoiceId
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.rules.credit_note import Credit
from billwright.features.tax.rules.document_tax import DocumentTax
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A note on `invoice`, whose parties, treatment and rates it has; all but its number and the
    allocation is below zero.
    """

    id: InvoiceId
    invoice: Invoice
    credits: Sequence[Credit]
    tax: DocumentTax
    allocation: Allocation
    issued_on: date
    reason: str
    note: str

    @property
    def subtotal_minor(self) -> int:
        return sum(self.tax.line_net_minor)

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.tax.total_minor


@dataclass(frozen=True, slots=True)
class CreditedUnits:
    """How much of a line a credit is shown as: its units at their price, or else its amount once."""

    quantity: Decimal
    unit_name: str
    unit_price: Decimal


def credited_units(credit: Credit, currency: Currency) -> CreditedUnits:
    """The units of the line where all that it charged is given back and its price makes that."""
    line = credit.line
    amount = Money(credit.amount_minor, currency).to_decimal()
    if line.unit_price is not None and line.quantity * line.unit_price == amount:
        return CreditedUnits(line.quantity, line.unit_name, line.unit_price)
    return CreditedUnits(_ONE, "", amount)
