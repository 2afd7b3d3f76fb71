"""What is an access decision?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from billwright.features.catalog.model import (
    AllowanceChange,
    Combination,
    FeatureDefinition,
    FeatureKind,
    FeatureTerms,
)
from billwright.kernel.calendar import Interval
from billwright.kernel.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Source:
    """A subscription that gives what its plan version contains, some of it with the add-ons that it has
    so many units of; limits count per period.
    """

    subscription_id: UUID
    account_id: UUID
    plan_version_id: UUID
    period_start: datetime
    period_end: datetime
    add_ons: Mapping[str, Decimal] = field(default_factory=dict)


class RestrictionEffect(StrEnum):
    """What an unpaid debt leaves, from most to least: all but the features that are named, nothing more
    to be consumed, or nothing at all.
    """

    DEGRADE = "degrade"
    READ_ONLY = "read_only"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What one debt, the `cause_id`, leaves of the access that a subscription gives or, without one,
    all of the account's, also those that it gets later. `features` are those that `degrade` takes away.
    """

    cause_id: UUID
    account_id: UUID
    subscription_id: UUID | None
    effect: RestrictionEffect
    features: tuple[str, ...] = ()


class AccessLevel(StrEnum):
    """How much is left of what a subscription gives."""

    FULL = "full"
    DEGRADED = "degraded"
    READ_ONLY = "read_only"
    REVOKED = "revoked"


class DenialReason(StrEnum):
    """Why something is not allowed: nothing gives it, a payment is missing, or the limit is reached."""

    NOT_ENTITLED = "not_entitled"
    PAYMENT_OVERDUE = "payment_overdue"
    LIMIT_REACHED = "limit_reached"


class SourceKind(StrEnum):
    """What gives a feature, from what comes first to what comes last; a grant gives a metered feature
    that nothing else does.
    """

    ACCOUNT_OVERRIDE = "account_override"
    SUBSCRIPTION_OVERRIDE = "subscription_override"
    ADD_ON = "add_on"
    PLAN = "plan"
    DEFAULT = "default"
    GRANT = "grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """That an account was granted some of a metered feature, to use up from `effective_at` on."""

    feature: str
    subscription_id: UUID | None
    effective_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class PoolPlace:
    """Whose a pool is: a subscription's own, or the account's."""

    subscription_id: UUID | None


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a subscription gives of one feature; `reason` says why not.

    `value` belongs to `static` features. `limit`, `used` and `remaining` are decimal strings and
    belong to `metered` ones, where a null limit is none; `resets_at` is when the count starts anew.
    A snapshot has the `pool` instead, which knows them at any moment.
    """

    feature: str
    kind: FeatureKind
    allowed: bool
    reason: DenialReason | None = None
    value: bool | int | str | None = None
    limit: str | None = None
    used: str | None = None
    remaining: str | None = None
    resets_at: datetime | None = None
    pool: PoolPlace | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a subscription gives now, as its account's snapshot keeps it."""

    access: AccessLevel
    features: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDecision:
    """What an account has of one feature, from whichever source; `reason` says why not.

    `value` belongs to `static` features. `pools` are those that a metered one may be used from, each by
    its subscription; none is the account's own.
    """

    kind: FeatureKind
    allowed: bool
    reason: DenialReason | None
    value: bool | int | str | None
    source: SourceKind
    pools: tuple[UUID | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Every decision of an account: through each of its subscriptions, and for each feature."""

    subscriptions: Mapping[UUID, Given]
    features: Mapping[str, AccountDecision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The decisions of an account as they are kept: `decisions` is the JSON text of `Decided`.

    It holds before `valid_until`, and in the `epoch` that it was made in.
    """

    account_id: UUID
    version: int
    decisions: str
    epoch: int
    valid_until: datetime | None
    test_clock_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What an account, or one subscription of it, has of a feature instead of what its plans say, from
    `effective_at` up to, but not including, `ends_at`.

    `expires_at` is the end that was asked for; it ends before that where another one took its place or
    somebody removed it.
    """

    id: UUID
    account_id: UUID
    subscription_id: UUID | None
    feature: str
    kind: FeatureKind
    definition: FeatureDefinition
    reason: str
    effective_at: datetime
    expires_at: datetime | None
    ends_at: datetime | None
    superseded_by: UUID | None
    removed_at: datetime | None
    created_at: datetime


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one source gives of a metered feature in every window; none is no limit.

    `source` names it for as long as it gives: `plan:<subscription>`, `add_on:<subscription>:<component>`,
    `override:<override>` or `default`.
    """

    source: str
    limit: Decimal | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDefinition:
    """What the usage of a metered feature is counted against, by all that gives it now: for an account
    or, with a `subscription_id`, for that subscription alone.

    `period` is the billing period that a `billing_cycle` follows: that of the subscription which has
    given the feature longest. `zone` is the account's, for the calendar.
    """

    account_id: UUID
    subscription_id: UUID | None
    feature: str
    meter: str
    combination: Combination
    on_change: AllowanceChange
    terms: FeatureTerms
    allowances: tuple[Allowance, ...]
    period: tuple[datetime, datetime] | None
    zone: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How an allotment began in the running window, or was changed in it, at an instant: so much was
    added to what there was or, with `anew`, to nothing. From then on it `gives` or not, and its source's
    limit is `limit`, where none is no limit.
    """

    at: datetime
    given: Decimal
    limit: Decimal | None
    anew: bool = False
    gives: bool = True


class AllotmentKind(StrEnum):
    """What a source gives in a window, or what was granted beside that."""

    ALLOWANCE = "allowance"
    GRANT = "grant"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """A part of a pool that usage is taken from while it is in force; without an amount it has no limit.

    Usage is taken from the lowest `priority` first, then from what expires earlier, was created
    earlier, has the lower id (semantics 5.5). When the count starts anew, a grant keeps
    min(rollover_max, max(rollover_min, balance)) and an allowance gets its amount. `recurrence` issues a
    grant anew, counted from `effective_at`; `issued_index` is how often that has happened.

    `steps` say what it had when the window began, or where it began itself, and how it was changed since:
    the usage of the window is taken from that, as often as it is counted. `balance` is what that left
    when the pool was last settled.
    """

    id: UUID
    pool_id: UUID
    account_id: UUID
    kind: AllotmentKind
    source: str | None
    amount: Decimal | None
    balance: Decimal | None
    effective_at: datetime
    expires_at: datetime | None
    priority: int
    rollover_min: Decimal
    rollover_max: Decimal
    recurrence: Interval | None
    issued_index: int
    steps: tuple[Step, ...]
    reason: str
    metadata: Mapping[str, str]
    voided_at: datetime | None
    version: int
    created_at: datetime


class Counting(StrEnum):
    """How a pool follows usage: by the running totals' quantity or number of events, or by counting the
    events themselves whenever there are others.
    """

    QUANTITY = "quantity"
    EVENTS = "events"
    RECOUNT = "recount"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool as it was last settled: what was used up to `settled_at` has been taken from its
    allotments. `available` is what they have left from there until `valid_until`; none is no limit.
    `carried` is what was used beyond the limit of the window before and counts against this one.
    """

    id: UUID
    definition: PoolDefinition
    event_type: str
    counting: Counting
    window_start: datetime
    window_end: datetime | None
    carried: Decimal
    settled_at: datetime
    valid_until: datetime | None
    available: Decimal | None
    used_before: Decimal
    overage_before: Decimal
    limit_neared_at: datetime | None
    limit_reached_at: datetime | None
    closed_at: datetime | None
    version: int


class Question(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """May the account use so much more of a feature, by itself or through one of its subscriptions?"""

    account_id: UUID
    feature: str
    amount: Decimal = Decimal(1)
    subscription_id: UUID | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """May it? `limit`, `used` and `remaining` belong to metered features, where a null limit is none;
    `value` to static ones.

    The answer is that of `as_of`, made from version `state_version` of what the account has; it should
    not be used any more at `stale_after`. `overage` is what was used beyond the limit in this window.
    """

    account_id: UUID
    feature: str
    allowed: bool
    reason: DenialReason | None
    value: bool | int | str | None
    limit: Decimal | None
    used: Decimal | None
    overage: Decimal | None
    remaining: Decimal | None
    resets_at: datetime | None
    state_version: int
    as_of: datetime
    stale_after: datetime


class ReservationState(StrEnum):
    """A reservation that is held and past its end holds nothing any more."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What somebody is about to use of a metered feature, until `expires_at`."""

    id: UUID
    client_id: str
    account_id: UUID
    subscription_id: UUID
    pool_id: UUID
    feature: str
    amount: Decimal
    committed_amount: Decimal | None
    state: ReservationState
    expires_at: datetime
    created_at: datetime
    finished_at: datetime | None
