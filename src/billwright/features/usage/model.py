"""What is known of usage?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, NewType
from uuid import UUID

from billwright.kernel.actor import Actor
from billwright.kernel.quick import quickly_made

MeterId = NewType("MeterId", UUID)

PropertyValue = str | bool | int


class EventName(NamedTuple):
    """What an event is known by for ever."""

    source: str
    event_id: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class NewUsage:
    """What was used, as its source tells it; `quantity` is negative where it mends an earlier event.

    `source` and `event_id` together name the event for ever, so that it can be told again. `meter` is
    the type of the event, which is the code of its meter where nobody has defined one. `corrects` is
    the event that does not count any more because of this one, which without a quantity only takes it
    away.
    """

    source: str
    event_id: str
    meter: str
    quantity: Decimal | None
    occurred_at: datetime
    properties: Mapping[str, PropertyValue] | None = None
    corrects: EventName | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlace:
    """Whose usage it is, and the account's own time. What occurred before `closed_until` was billed
    already; none when nothing was.
    """

    account_id: UUID
    subscription_id: UUID
    now: datetime
    closed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as it is kept."""

    account_id: UUID
    subscription_id: UUID
    event: NewUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """An event with who told it, which events of former versions do not know, and the one that has
    taken it away or its place.
    """

    event: NewUsage
    received_at: datetime
    told_by: Actor | None
    corrected_by: EventName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateUsage:
    """Of which time a subscription's billed windows are to be looked at again, and when."""

    account_id: UUID
    subscription_id: UUID
    occurred_from: datetime
    occurred_until: datetime
    due_at: datetime


class Aggregation(StrEnum):
    """What the events of a window come to.

    `latest` is the value of the last event; `weighted_sum` is the value that was held over time, each
    until the next event, divided by the length of the period.
    """

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVG = "avg"
    UNIQUE_COUNT = "unique_count"
    LATEST = "latest"
    WEIGHTED_SUM = "weighted_sum"


class WholeUnits(StrEnum):
    """How a quantity becomes whole: to the nearest with a half away from zero, up, or down."""

    ROUND = "round"
    CEIL = "ceil"
    FLOOR = "floor"


class MeterStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDefinition:
    """What a meter counts: events of a type whose properties have one of the values that `filters`
    name, and of each the `property` or, without one, its quantity.

    With `group_by`, the events are aggregated for each combination of these properties' values, and
    the quantity is the sum. With `carries_over`, a window starts from what was last known before it.
    """

    event_type: str
    aggregation: Aggregation = Aggregation.SUM
    property: str | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    rounding: WholeUnits | None = None
    carries_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterVersion:
    """A definition, which never changes; number 0 is what a meter counts that nobody has defined."""

    number: int
    definition: MeterDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter with its newest version, which counts for what is billed from now on; `revision` counts
    every change of it.
    """

    id: MeterId
    code: str
    name: str
    description: str
    status: MeterStatus
    version: MeterVersion
    created_at: datetime
    updated_at: datetime
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWindow:
    """A question: what a subscription used of a meter from `start` up to, but not including, `end`.

    `key` is the caller's own, to find the answer by. `period` is the length of the undivided period
    that the window is a part of, by default its own. `version` is that of the meter to count by, by
    default the newest.
    """

    key: int
    subscription_id: UUID
    meter: str
    start: datetime
    end: datetime
    period: timedelta | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedGroup:
    """What was used of one combination of the properties that a meter groups by, before rounding."""

    values: tuple[str | None, ...]
    quantity: Fraction
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a window holds; `digest` is another one as soon as it holds anything else."""

    quantity: Decimal
    events: int
    digest: str
    meter_version: int = 0
    groups: tuple[UsedGroup, ...] = ()


class TotalKey(NamedTuple):
    """What a running total is kept of: events of a type, of one subscription of an account or of all."""

    account_id: UUID
    event_type: str
    subscription_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTotal:
    """What was ever told; the `revision` changes with everything that the sums do not show."""

    quantity: Decimal
    events: int
    revision: int
