"""What happens to invoices?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event
from billwright.kernel.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFinalized(Event):
    """Amounts in minor units of `currency`; account credit is taken off what is due."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteIssued(Event):
    """Amounts in minor units of `currency`: `total_minor` is negative, and what became of it is
    positive: left with the account, to be paid back, or taken off the corrected invoice.
    """

    type: ClassVar[str] = "credit_note.issued"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    total_minor: int
    corrects_invoice_id: UUID | None
    to_balance_minor: int
    to_refund_minor: int
    to_invoice_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceVoided(Event):
    """Nothing is owed by it any more; the number stays taken. Amounts in minor units of `currency`."""

    type: ClassVar[str] = "invoice.voided"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    total_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceMarkedUncollectible(Event):
    """The seller gives up on what is due, in minor units of `currency`."""

    type: ClassVar[str] = "invoice.marked_uncollectible"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    due_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReopened(Event):
    """Money that was booked on it is gone: `amount_minor` of `due_minor` is owed again, in minor units
    of `currency`.
    """

    type: ClassVar[str] = "invoice.reopened"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    amount_minor: int
    due_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCreditApplied(Event):
    """Account credit has paid `amount_minor` of it after it was finalized, and `due_minor` is left to be
    paid, in minor units of `currency`.
    """

    type: ClassVar[str] = "invoice.credit_applied"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    amount_minor: int
    due_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDrafted(Event):
    """A person began an invoice; its total, in minor units of `currency`, is what it would be now."""

    type: ClassVar[str] = "invoice.drafted"
    subject_type: ClassVar[str] = "invoice"

    currency: str
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraftChanged(Event):
    """The total, in minor units of `currency`, is what it would be now."""

    type: ClassVar[str] = "invoice.draft_changed"
    subject_type: ClassVar[str] = "invoice"

    currency: str
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraftDeleted(Event):
    """What was on it and not written for it waits for another invoice."""

    type: ClassVar[str] = "invoice.draft_deleted"
    subject_type: ClassVar[str] = "invoice"

    currency: str
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAdded(Event):
    """A person wrote down a debt, which waits for the next invoice; minor units of `currency`."""

    type: ClassVar[str] = "charge.added"
    subject_type: ClassVar[str] = "account"

    currency: str
    amount_minor: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreditChanged(Event):
    """A person granted or withdrew credit; amounts in minor units of `currency`."""

    type: ClassVar[str] = "account_credit.changed"
    subject_type: ClassVar[str] = "account"

    currency: str
    amount_minor: int
    balance_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSeriesChanged(Event):
    """Documents of a kind are numbered in another way from here on."""

    type: ClassVar[str] = "invoice_series.changed"
    subject_type: ClassVar[str] = "invoice_series"

    kind: str
    template: str
    restarts: str
