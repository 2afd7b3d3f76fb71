"""What is known of a charge and of an invoice?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.tax.model import CategoryCode, LegalNote, TreatmentKind, VatIdStatus
from billwright.features.tax.rules.document_tax import TaxPart
from billwright.kernel.currency import Currency
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from billwright.kernel.quick import quickly_made

InvoiceId = NewType("InvoiceId", UUID)
ChargeId = NewType("ChargeId", UUID)


class InvoiceState(StrEnum):
    DRAFT = "draft"
    FINALIZING = "finalizing"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class ChargeKind(StrEnum):
    """Why something is owed: for a period's units, once, for what was used, for what became known of
    that later, up to a minimum, or what a person wrote. A `proration_credit` takes the unused rest of a
    charge back, a `credit` any part of its amount.
    """

    RECURRING = "recurring"
    ONE_TIME = "one_time"
    USAGE = "usage"
    USAGE_ADJUSTMENT = "usage_adjustment"
    MINIMUM = "minimum"
    PRORATION_CREDIT = "proration_credit"
    CREDIT = "credit"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedOf:
    """Which usage a charge bills: the events of a meter in the charge's window that had arrived by
    `cutoff`, how many there were, and a digest (SHA-256, hexadecimal) of their identities and amounts.
    Version 0 of a meter is that of one that nobody has defined.
    """

    meter: str
    cutoff: datetime
    events: int
    digest: str
    meter_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an amount was computed from, beside the charge's own columns and the plan version's price;
    together they are enough to compute it again. A charge without a basis is a whole period at the
    price of its plan version, rounded half up.

    `whole_start` and `whole_end` are the undivided period that a part is a share of, counted in
    `granularity` (days of `zone`). `pricing` is a price of the subscription's own.
    `minimum_minor` is what a minimum fills up to, for the whole period. An adjustment says to which
    quantity the window was `recounted`, and what it was charged `already`, minimum included.
    """

    whole_start: datetime | None = None
    whole_end: datetime | None = None
    granularity: Granularity = Granularity.SECOND
    zone: str = "UTC"
    rounding: Rounding = Rounding.HALF_UP
    pricing: Pricing | None = None
    minimum_minor: int | None = None
    usage: UsedOf | None = None
    recounted: Decimal | None = None
    already_minor: int | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class NewCharge:
    """A debt to be written down; subscription, component, kind and period start are its identity.

    `amount_minor` is rounded, and net of `discounts` (pairs of redemption and minor units, which were
    taken off); it contains the tax where `tax_inclusive`. `unit_price` is in major units, exact.

    What takes a charge back has a negative amount, negative discounts for what it returns to a
    promotion, and names in `corrects_charge_id` the charge, whose `tax_rate` it keeps (null while that
    was never invoiced). A proration credit takes it back from `period_start` on.
    """

    subscription_id: UUID | None
    plan_component_id: UUID | None
    kind: ChargeKind
    period_start: datetime
    period_end: datetime
    description: str
    quantity: Decimal
    unit_name: str
    unit_price: Decimal | None
    amount_minor: int
    tax_category: str
    tax_inclusive: bool = False
    discounts: tuple[tuple[UUID, int], ...] = ()
    corrects_charge_id: UUID | None = None
    tax_rate: Decimal | None = None
    basis: Basis | None = None

    @property
    def discount_minor(self) -> int:
        """What promotions took off, in minor units."""
        return sum(amount_minor for _, amount_minor in self.discounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCharge:
    """A charge that has been written down and not yet been taken back in whole.

    `listed_minor` is its amount before discounts; `credited_minor` is how much of the amount has been
    given back. `tax_rate` is null while it is pending.
    """

    id: ChargeId
    charge: NewCharge
    credited_minor: int
    reversed_from: datetime | None

    @property
    def listed_minor(self) -> int:
        return self.charge.amount_minor + self.charge.discount_minor

    @property
    def creditable_minor(self) -> int:
        """What may still be given back, in minor units."""
        return self.charge.amount_minor - self.credited_minor

    def untaxed(self) -> LiveCharge:
        """Without the rate of the day on which its draft was made; what takes another charge back
        keeps that one's.
        """
        if self.charge.corrects_charge_id is not None:
            return self
        return replace(self, charge=replace(self.charge, tax_rate=None))


class InvoiceTiming(StrEnum):
    """When charges come on an invoice: as the account's collection policy says, at once whatever it
    says and however small the amount is, at once while what waits goes on waiting, or with whatever is
    invoiced next.
    """

    BY_POLICY = "by_policy"
    AT_ONCE = "at_once"
    ALONE = "alone"
    LATER = "later"


class DraftPurpose(StrEnum):
    """What becomes of the document: finalized, kept as a draft for a person to decide, or finalized to
    be given up at once by the caller, for which no account credit is used.
    """

    FINALIZE = "finalize"
    KEEP_AS_DRAFT = "keep_as_draft"
    GIVE_UP = "give_up"


class Surplus(StrEnum):
    """Where a document's money goes when it gives back more than it charges: to the account's credit,
    or back to the payer as far as it was paid.
    """

    TO_BALANCE = "to_balance"
    TO_REFUND = "to_refund"


@quickly_made
@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """What is to be invoiced to one account in one currency, as one document.

    `reference` is printed on it, such as the number of the subscription that it is about.
    """

    account: Account
    currency: Currency
    charges: tuple[NewCharge, ...]
    reference: str = ""
    timing: InvoiceTiming = InvoiceTiming.BY_POLICY
    purpose: DraftPurpose = DraftPurpose.FINALIZE
    surplus: Surplus = Surplus.TO_BALANCE


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A charge as a line; amounts in minor units, the tax allocated from the document's.

    `amount_minor` is net of `discount_minor` and contains the tax where `tax_inclusive`. Of a draft,
    rate and tax are those of the day on which it was last changed.
    """

    id: ChargeId
    position: int
    subscription_id: UUID | None
    plan_component_id: UUID | None
    kind: ChargeKind
    description: str
    period_start: datetime
    period_end: datetime
    quantity: Decimal
    unit_name: str
    unit_price: Decimal | None
    amount_minor: int
    tax_category: str
    tax_rate: Decimal
    tax_minor: int
    discount_minor: int = 0
    tax_inclusive: bool = False
    corrects_charge_id: UUID | None = None

    @property
    def net_minor(self) -> int:
        """What the line adds to the subtotal, in minor units."""
        return self.amount_minor - self.tax_minor if self.tax_inclusive else self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice's head; amounts in minor units of `currency`, dates in the seller's zone.

    A credit note's amounts are negative, `corrects_invoice_id` is the invoice that it is about, if it
    is about one, and what it gives went `to_balance_minor` or `to_refund_minor`. On an invoice,
    `credit_applied_minor` was taken from the account's credit, and `credited_minor` is what credit
    notes took off what is due. What is null on a draft only is decided when it is finalized.

    `collect_at` is when its money is next asked for; none when nobody waits for that: nothing is due
    any more, or it was asked for and what follows is not invoicing's.

    How it is taxed is what held when it was finalized: `tax_country` is where, `tax_code` the EN 16931
    category (of taxed lines: a rate of zero among them is Z), `tax_note` the reason that is printed,
    `vat_id_status` what was known of the buyer's VAT id, none when it gave no tax id.
    """

    id: InvoiceId
    account_id: UUID
    kind: DocumentKind
    state: InvoiceState
    number: str | None
    currency: Currency
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    paid_minor: int
    due_minor: int
    taxes: tuple[TaxPart, ...]
    tax_treatment: TreatmentKind | None
    tax_country: str | None
    tax_note: LegalNote | None
    tax_code: CategoryCode | None
    vat_id_status: VatIdStatus | None
    series_id: UUID | None
    seller_party_id: UUID | None
    buyer_party_id: UUID | None
    corrects_invoice_id: UUID | None
    reason: str
    note: str
    credit_applied_minor: int
    credited_minor: int
    to_balance_minor: int
    to_refund_minor: int
    locale: str
    zone: str
    reference: str
    period_start: datetime | None
    period_end: datetime | None
    finalized_at: datetime | None
    issued_on: date | None
    due_on: date | None
    paid_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    collect_at: datetime | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """What the caller of a bulk run needs to know of a document that was just made.

    A draft has no number; the total of a credit note is negative.
    """

    id: InvoiceId
    number: str | None
    account_id: UUID
    currency: str
    total_minor: int
    kind: DocumentKind = DocumentKind.INVOICE
    due_minor: int = 0


@dataclass(frozen=True, slots=True)
class Billed:
    """What became of charges: documents, and how many charges wait (`pending`: for the billing day or
    the next invoice; `held`: because their sum is below the seller's minimum).
    """

    documents: tuple[IssuedInvoice, ...] = ()
    pending: int = 0
    held: int = 0

    def __add__(self, other: Billed) -> Billed:
        return Billed(
            self.documents + other.documents,
            self.pending + other.pending,
            self.held + other.held,
        )


class CreditEntryKind(StrEnum):
    """What moves an account's credit: a credit note left it there, an invoice took it, a void invoice or
    a failed refund returned it, a person granted it, it was withdrawn (by a person, a refund or a lost
    dispute), or a payment was more than was due.
    """

    CREDIT_NOTE = "credit_note"
    APPLIED = "applied"
    RETURNED = "returned"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    OVERPAYMENT = "overpayment"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditChange:
    """A change of what an account has with the seller; `amount_minor` is negative when it is used."""

    account_id: UUID
    currency: Currency
    kind: CreditEntryKind
    amount_minor: int
    invoice_id: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEntry:
    """A change of an account's credit as it is kept; `balance_minor` is what was there after it."""

    id: UUID
    account_id: UUID
    currency: Currency
    kind: CreditEntryKind
    amount_minor: int
    balance_minor: int
    invoice_id: UUID | None
    reason: str
    created_at: datetime


class SeriesRestart(StrEnum):
    """When a series of numbers begins at one again: with every fiscal year, or never."""

    YEARLY = "yearly"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSeries:
    """How documents of a kind are numbered; `next_number` is what one would get that was made now, and
    `revision` counts the changes: 0 is a series that is numbered as it is by default.
    """

    kind: DocumentKind
    template: str
    restarts: SeriesRestart
    next_number: str
    revision: int
