"""What is known of a charge and of an invoice?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.tax.model import CategoryCode, LegalNote, TreatmentKind, VatIdStatus
from billwright.features.tax.rules.document_tax import TaxPart
from billwright.kernel.currency import Currency

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


class ChargeKind(StrEnum):
    RECURRING = "recurring"


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A debt to be written down; subscription, component, kind and period start are its identity.

    `amount_minor` is net and already rounded; `unit_price` is in major units, exact.
    """

    subscription_id: UUID
    plan_component_id: UUID
    kind: ChargeKind
    period_start: datetime
    period_end: datetime
    description: str
    quantity: Decimal
    unit_name: str
    unit_price: Decimal | None
    amount_minor: int
    tax_category: str


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """What is to be invoiced to one account in one currency, as one document.

    `reference` is printed on it, such as the number of the subscription that it is about.
    """

    account: Account
    currency: Currency
    charges: tuple[NewCharge, ...]
    reference: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A charge as a line; amounts in minor units, the tax allocated from the document's."""

    id: ChargeId
    position: int
    subscription_id: UUID
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice's head; amounts in minor units of `currency`, dates in the seller's zone.

    How it is taxed is what held when it was finalized: `tax_country` is where, `tax_code` the EN 16931
    category (of taxed lines: a rate of zero among them is Z), `tax_note` the reason that is printed,
    `vat_id_status` what was known of the buyer's VAT id, none when it gave no tax id.
    """

    id: InvoiceId
    account_id: UUID
    state: InvoiceState
    number: str | None
    currency: Currency
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    paid_minor: int
    due_minor: int
    taxes: tuple[TaxPart, ...]
    tax_treatment: TreatmentKind
    tax_country: str
    tax_note: LegalNote | None
    tax_code: CategoryCode
    vat_id_status: VatIdStatus | None
    seller_party_id: UUID
    buyer_party_id: UUID
    locale: str
    zone: str
    reference: str
    period_start: datetime | None
    period_end: datetime | None
    finalized_at: datetime | None
    issued_on: date | None
    due_on: date | None
    paid_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """What the caller of a bulk run needs to know of a document that was just finalized."""

    id: InvoiceId
    number: str
    account_id: UUID
    total_minor: int
