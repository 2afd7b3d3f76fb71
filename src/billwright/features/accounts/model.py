"""What is known of an account?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.tenancy.model import Address

AccountId = NewType("AccountId", UUID)
TestClockId = NewType("TestClockId", UUID)


class AccountStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"


class CustomerType(StrEnum):
    BUSINESS = "business"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A paying customer.

    `currency`, `locale` and `zone` (IANA) are what its subscriptions and documents use;
    `payment_terms_days` is null where the seller's terms hold; `reference` is the customer's own
    reference that it wants to read on invoices.
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
    parked_reason: str | None
    test_clock_id: TestClockId | None
    metadata: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime


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
