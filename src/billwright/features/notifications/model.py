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
    """Which of an account's people is meant, or that it is somebody who signs in."""

    BILLING = "billing"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A message to be asked for, to an account or to a user.

    `type` names what it says and `version` the meaning of its `data`; `dedup_key` is what may be
    said only once; a higher `priority` leaves first. Without a contact, it is for the account's own
    address; a user's is meant as `to_address` says it. Without `expires_at` there is a month for it.
    """

    type: str
    account_id: UUID | None = None
    user_id: UUID | None = None
    to_address: str | None = None
    locale: str
    subject_type: str
    subject_id: UUID
    data: dict[str, str]
    dedup_key: str
    occurred_at: datetime
    expires_at: datetime | None = None
    contact_id: UUID | None = None
    version: int = 1
    priority: int = 0

    @property
    def recipient_role(self) -> RecipientRole:
        return RecipientRole.BILLING if self.user_id is None else RecipientRole.USER


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """A message that was asked for; `sequence` orders those about one subject. The contact that it is for
    may be gone since, and a user may have another address than `to_address`.

    `attempts` counts how often a worker took it; `last_error` is what was said the last time that it
    was not accepted.
    """

    id: RequestId
    type: str
    version: int
    account_id: UUID | None
    contact_id: UUID | None
    user_id: UUID | None
    to_address: str | None
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
