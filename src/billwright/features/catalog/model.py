"""What is known of a plan?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.pricing.rules.pricing import Pricing
from billwright.kernel.calendar import Interval

PlanId = NewType("PlanId", UUID)
PlanVersionId = NewType("PlanVersionId", UUID)
PlanComponentId = NewType("PlanComponentId", UUID)


class PlanStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


class Timing(StrEnum):
    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class FeatureKind(StrEnum):
    BOOLEAN = "boolean"
    STATIC = "static"
    METERED = "metered"


@dataclass(frozen=True, slots=True)
class PlanFeature:
    """What a plan gives of a feature: true or false, a value, or for `metered` a limit per period.

    A limit is a decimal string; null is no limit.
    """

    code: str
    name: str
    kind: FeatureKind
    value: bool | int | str | None


@dataclass(frozen=True, slots=True)
class PlanComponent:
    """One line of a plan; `prices` has one entry per currency."""

    id: PlanComponentId
    code: str
    name: str
    timing: Timing
    unit_name: str
    prices: dict[str, Pricing]


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """The terms of a plan as they are sold from some day on; it never changes."""

    id: PlanVersionId
    plan_id: PlanId
    plan_code: str
    number: int
    name: str
    interval: Interval
    tax_category: str
    components: tuple[PlanComponent, ...]
    features: tuple[PlanFeature, ...]
    created_at: datetime

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies in which every component has a price."""
        prices = [frozenset(component.prices) for component in self.components]
        return frozenset.intersection(*prices) if prices else frozenset()

    @property
    def has_metered_features(self) -> bool:
        return any(feature.kind is FeatureKind.METERED for feature in self.features)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its newest version, which new subscriptions get."""

    id: PlanId
    code: str
    name: str
    description: str
    status: PlanStatus
    metadata: dict[str, str]
    created_at: datetime
    version: PlanVersion
