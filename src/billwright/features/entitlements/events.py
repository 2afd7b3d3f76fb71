"""What happens to access?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideCreated(Event):
    """From `effective_at` on, the account or, with a `subscription_id`, that subscription has something
    else of a feature than its plans say.
    """

    type: ClassVar[str] = "entitlement_override.created"
    subject_type: ClassVar[str] = "entitlement_override"

    subscription_id: UUID | None
    feature: str
    effective_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideSuperseded(Event):
    """Another override takes its place at `ends_at`; it does not come back."""

    type: ClassVar[str] = "entitlement_override.superseded"
    subject_type: ClassVar[str] = "entitlement_override"

    subscription_id: UUID | None
    feature: str
    superseded_by: UUID
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRemoved(Event):
    """It was ended before its time, and plans say again what there is."""

    type: ClassVar[str] = "entitlement_override.removed"
    subject_type: ClassVar[str] = "entitlement_override"

    subscription_id: UUID | None
    feature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementGranted(Event):
    """The account or, with a `subscription_id`, that subscription has so much more to use up."""

    type: ClassVar[str] = "entitlement_grant.created"
    subject_type: ClassVar[str] = "entitlement_grant"

    subscription_id: UUID | None
    feature: str
    amount: Decimal
    effective_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantVoided(Event):
    """What was left of it, `balance`, cannot be used any more."""

    type: ClassVar[str] = "entitlement_grant.voided"
    subject_type: ClassVar[str] = "entitlement_grant"

    subscription_id: UUID | None
    feature: str
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNearlyReached(Event):
    """Four fifths of a limit are used. It is said once for each time that the count runs, and found when
    usage has become known, a minute later or so.
    """

    type: ClassVar[str] = "entitlement.limit_nearly_reached"
    subject_type: ClassVar[str] = "account"

    subscription_id: UUID | None
    feature: str
    limit: Decimal
    used: Decimal
    resets_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached(Event):
    """All of a limit is used, likewise."""

    type: ClassVar[str] = "entitlement.limit_reached"
    subject_type: ClassVar[str] = "account"

    subscription_id: UUID | None
    feature: str
    feature_name: str
    limit: Decimal
    used: Decimal
    window_start: datetime
    resets_at: datetime | None
