"""What happens to accounts?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Event):
    type: ClassVar[str] = "account.created"
    subject_type: ClassVar[str] = "account"

    number: int
    external_id: str | None
    name: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed(Event):
    """It takes no new subscription, invoice or payment method any more."""

    type: ClassVar[str] = "account.closed"
    subject_type: ClassVar[str] = "account"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReopened(Event):
    type: ClassVar[str] = "account.reopened"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAdded(Event):
    type: ClassVar[str] = "contact.added"
    subject_type: ClassVar[str] = "contact"

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdated(Event):
    """`changed` names the fields of the contact that are not as they were, in alphabetical order."""

    type: ClassVar[str] = "contact.updated"
    subject_type: ClassVar[str] = "contact"

    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRemoved(Event):
    type: ClassVar[str] = "contact.removed"
    subject_type: ClassVar[str] = "contact"

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountParked(Event):
    type: ClassVar[str] = "account.parked"
    subject_type: ClassVar[str] = "account"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUnparked(Event):
    """A person has looked, and billing runs come again."""

    type: ClassVar[str] = "account.unparked"
    subject_type: ClassVar[str] = "account"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdated(Event):
    """`changed` names the fields of the account that are not as they were, in alphabetical order."""

    type: ClassVar[str] = "account.updated"
    subject_type: ClassVar[str] = "account"

    changed: tuple[str, ...]
