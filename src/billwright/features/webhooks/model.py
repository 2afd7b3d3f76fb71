"""What is known of the event log, and of who is told of it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

EndpointId = NewType("EndpointId", UUID)

EVERY_TYPE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """A fact as it is in the log; `position` orders them, with gaps that say nothing."""

    id: UUID
    position: int
    type: str
    version: int
    occurred_at: datetime
    subject_type: str
    subject_id: UUID
    account_id: UUID | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which part of the log is asked for: what comes after a place in it (`after`), and of what was
    recorded since an instant.
    """

    after: int | None
    limit: int
    types: tuple[str, ...] = ()
    subject_id: UUID | None = None
    account_id: UUID | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """A part of the log. Everything up to `read_to` has been looked at; behind it, there is or may be
    `more`.
    """

    events: tuple[LoggedEvent, ...]
    read_to: int
    more: bool


class ApiVersion(StrEnum):
    """The forms in which events are sent; an endpoint keeps its own."""

    V1 = "v1"


class EndpointStatus(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


class DisabledReason(StrEnum):
    """Somebody asked for it; the endpoint said that it is gone (410); or it failed for days."""

    REQUESTED = "requested"
    GONE = "gone"
    FAILING = "failing"


class ReplayScope(StrEnum):
    """What a replay sends again: only what was not delivered, or everything."""

    UNDELIVERED = "undelivered"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The part of the log that is being sent again: behind `after` up to `until`, of what was recorded
    with an id from `since` on.
    """

    after: int
    until: int
    since: UUID
    scope: ReplayScope


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has been doing: failures since the last success, since when, and until when it is
    left alone.
    """

    failures: int = 0
    failing_since: datetime | None = None
    rests_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that is told of events. Its secrets are sealed; the former one signs as well until
    `former_secret_until`. `delivers_from` and `fanned_out_to` say which events are new for it.
    """

    id: EndpointId
    url: str
    description: str
    event_types: tuple[str, ...]
    api_version: ApiVersion
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    secret_sealed: str
    former_secret_sealed: str | None
    former_secret_until: datetime | None
    delivers_from: UUID
    fanned_out_to: int
    replay: Replay | None
    health: Health
    version: int
    created_at: datetime
    updated_at: datetime


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint; `attempts` counts since it was last asked for."""

    endpoint_id: EndpointId
    event_id: UUID
    event_type: str
    subject_id: UUID
    position: int
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to an endpoint: `status` is what it answered, `error` why it did not."""

    id: UUID
    endpoint_id: EndpointId
    event_id: UUID
    event_type: str
    number: int
    sent_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    answer: str


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """Where webhooks may go; `unrestricted` lets them go to http and private addresses too, as only a
    development needs.
    """

    unrestricted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What came of it. Without a `status` nobody answered, and `error` says why; `text` is how the
    answer begins.
    """

    duration_ms: int
    status: int | None = None
    error: str | None = None
    text: str = ""
    retry_after_seconds: int | None = None

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants nothing any more."""
        return self.status == 410
