"""What happens to invoices?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFinalized(Event):
    """Amounts in minor units of `currency`."""

    type: ClassVar[str] = "invoice.finalized"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    total_minor: int
    due_minor: int
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(Event):
    """The invoice is settled in full; `total_minor` in minor units of `currency`."""

    type: ClassVar[str] = "invoice.paid"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    total_minor: int
