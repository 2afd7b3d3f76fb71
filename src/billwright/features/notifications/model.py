"""What is known of a message to a person?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

RequestId = NewType("RequestId", UUID)


class RequestState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DEAD = "dead"


class RecipientRole(StrEnum):
    """Which of an account's people is meant."""

    BILLING = "billing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A message to be asked for.

    `type` names what it says and `version` the meaning of its `data`; `dedup_key` is what may be
    said only once; a higher `priority` leaves first. Without a contact, it is for the account's own
    address.
    """

    type: str
    account_id: UUID
    locale: str
    subject_type: str
    subject_id: UUID
    data: dict[str, str]
    dedup_key: str
    occurred_at: datetime
    contact_id: UUID | None = None
    version: int = 1
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """A message that was asked for; `sequence` orders those about one subject. The contact that it is for
    may be gone since.

    `attempts` counts how often a worker took it; `last_error` is what was said the last time that it
    was not accepted.
    """

    id: RequestId
    type: str
    version: int
    account_id: UUID
    contact_id: UUID | None
    recipient_role: RecipientRole
    locale: str
    subject_type: str
    subject_id: UUID
    sequence: int
    data: dict[str, str]
    dedup_key: str
    priority: int
    state: RequestState
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    occurred_at: datetime
    expires_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt at a request; `attempts` tells which one it was. `stops_type` is the
    type of which nothing is wanted any more.
    """

    request_id: RequestId
    attempts: int
    state: RequestState
    next_attempt_at: datetime | None = None
    error: str | None = None
    stops_type: str | None = None
