"""What is an access decision?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a subscription gives of one feature.

    `value` belongs to `static` features. `limit`, `used` and `remaining` are decimal strings and
    belong to `metered` ones, where a null limit is none; `resets_at` is when the count starts anew.
    """

    feature: str
    kind: FeatureKind
    allowed: bool
    value: bool | int | str | None = None
    limit: str | None = None
    used: str | None = None
    remaining: str | None = None
    resets_at: datetime | None = None
