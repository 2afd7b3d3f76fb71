"""What is an access decision?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.features.catalog.model import FeatureKind


@dataclass(frozen=True, slots=True)
class Source:
    """A subscription that gives what its plan version contains; limits count per period."""

    subscription_id: UUID
    account_id: UUID
    plan_version_id: UUID
    period_start: datetime
    period_end: datetime


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
    """Why something is not allowed that the plan gives."""

    PAYMENT_OVERDUE = "payment_overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a subscription gives of one feature; `reason` says why not what its plan gives.

    `value` belongs to `static` features. `limit`, `used` and `remaining` are decimal strings and
    belong to `metered` ones, where a null limit is none; `resets_at` is when the count starts anew.
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


@dataclass(frozen=True, slots=True)
class Given:
    """What a subscription gives now, as its account's snapshot keeps it."""

    access: AccessLevel
    features: tuple[Decision, ...]
