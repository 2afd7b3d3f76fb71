"""What is known of an account?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.tenancy.model import Address
from billwright.kernel.quick import quickly_made

AccountId = NewType("AccountId", UUID)
ContactId = NewType("ContactId", UUID)
TestClockId = NewType("TestClockId", UUID)


class AccountStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"


class ContactRole(StrEnum):
    """What a contact is for: invoices and notices go to those of the role `billing`."""

    BILLING = "billing"
    TECHNICAL = "technical"
    OWNER = "owner"


class Collection(StrEnum):
    """When what is owed comes on an invoice: at once, or collected on the billing day of each month."""

    IMMEDIATE = "immediate"
    BILLING_DAY = "billing_day"


class CustomerType(StrEnum):
    BUSINESS = "business"
    CONSUMER = "consumer"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A paying customer.

    `currency`, `locale` and `zone` (IANA) are what its subscriptions and documents use;
    `payment_terms_days` is null where the seller's terms hold; `reference` is the customer's own
    reference that it wants to read on invoices.
    `billing_day` (1 to 31, the last day of a shorter month) belongs to the collection policy of that
    name, and `next_invoice_at` is when that day begins next in its zone. `has_payment_method`: money
    can be collected without asking it.
    """

    id: AccountId
    number: int
    external_id: str | None
    status: AccountStatus
    name: str
    email: str | None
    customer_type: CustomerType
    tax_id: str | None
    reference: str | None
    address: Address
    currency: str
    locale: str
    zone: str
    payment_terms_days: int | None
    collection: Collection
    billing_day: int | None
    next_invoice_at: datetime | None
    has_payment_method: bool
    parked_reason: str | None
    test_clock_id: TestClockId | None
    metadata: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or a mailbox of a customer; `locale` is none where the account's holds."""

    id: ContactId
    account_id: UUID
    name: str
    email: str
    role: ContactRole
    locale: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AccountTime:
    """Which time an account lives in: the zone of its calendar, and its test clock if it has one."""

    zone: str
    test_clock_id: TestClockId | None


class TestClockState(StrEnum):
    READY = "ready"
    ADVANCING = "advancing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock:
    """A time of its own; while `advancing` it moves to `target` through every due instant."""

    id: TestClockId
    name: str
    now: datetime
    state: TestClockState
    target: datetime | None
    failure: str | None
    created_at: datetime
