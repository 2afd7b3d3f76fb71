"""What is known of a plan?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.pricing.rules.pricing import Pricing
from billwright.kernel.calendar import Interval

PlanId = NewType("PlanId", UUID)
PlanVersionId = NewType("PlanVersionId", UUID)
PlanComponentId = NewType("PlanComponentId", UUID)
FeatureId = NewType("FeatureId", UUID)


class PlanStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


class ComponentKind(StrEnum):
    """What a component charges for: its units in every period, once at the beginning, or what was
    used of a meter in a period.
    """

    RECURRING = "recurring"
    ONE_TIME = "one_time"
    USAGE = "usage"


class Timing(StrEnum):
    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class Alignment(StrEnum):
    """Where periods begin: counted from the start of a subscription, or along the calendar, where the
    first one is a stub.
    """

    ANNIVERSARY = "anniversary"
    CALENDAR = "calendar"


class TrialEndBehavior(StrEnum):
    """What happens when a trial ends and the account has no payment method."""

    CREATE_INVOICE = "create_invoice"
    PAUSE = "pause"
    CANCEL = "cancel"


class FeatureKind(StrEnum):
    BOOLEAN = "boolean"
    STATIC = "static"
    METERED = "metered"


class Combination(StrEnum):
    """What several subscriptions of an account give of a metered feature: one pool for all of them, or
    each subscription its own.
    """

    ADDITIVE = "additive"
    PARALLEL = "parallel"


class AllowanceChange(StrEnum):
    """What a change of plan within a window gives of a metered feature whose usage adds up: the share
    of the difference that is left of the window, all of the difference, or all of the new limit, as if
    nothing had been used.
    """

    PRORATE_GRANT = "prorate_grant"
    GRANT_DELTA = "grant_delta"
    GRANT_FULL = "grant_full"


class LimitPolicy(StrEnum):
    """What happens at a limit: no more, more (which is noted and told), or more up to a cap."""

    HARD = "hard"
    SOFT = "soft"
    SOFT_CAPPED = "soft_capped"


class ResetKind(StrEnum):
    """When a count starts anew: with the billing period, with the calendar of the account's zone, a
    while after the first use, never; or only the last while counts, whenever that is.
    """

    BILLING_CYCLE = "billing_cycle"
    CALENDAR = "calendar"
    FIXED_WINDOW = "fixed_window"
    SLIDING_WINDOW = "sliding_window"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Reset:
    """When a count starts anew; `interval` belongs to `calendar`, `window` to the two windows."""

    kind: ResetKind = ResetKind.BILLING_CYCLE
    interval: Interval | None = None
    window: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureTerms:
    """How a feature is limited, beside its value.

    `soft_cap` is how much beyond the limit `soft_capped` allows. With `preserve_overage`, what was used
    beyond the limit counts against the next window. With `kept_when_unpaid`, missing payments take the
    feature away only when they take away everything.
    """

    limit_policy: LimitPolicy = LimitPolicy.HARD
    soft_cap: Decimal | None = None
    reset: Reset = Reset()
    preserve_overage: bool = False
    kept_when_unpaid: bool = False


@dataclass(frozen=True, slots=True)
class PlanFeature:
    """What a plan gives of a feature: true or false, a value, or for `metered` a limit per period.

    A limit is a decimal string; null is no limit. With an `add_on`, which is the code of an optional
    component, a subscription has it while it has that add-on, and a limit for each unit of it.
    """

    code: str
    name: str
    kind: FeatureKind
    value: bool | int | str | None
    terms: FeatureTerms = FeatureTerms()
    add_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDefinition:
    """What is given of a feature, wherever that is said: its value, or the limit of a metered one, as
    `PlanFeature` has them, and its terms.
    """

    value: bool | int | str | None
    terms: FeatureTerms = FeatureTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What a subscription agrees to beside prices.

    `calendar_day` is the day of month on which calendar-aligned months and years begin (null is the
    first). A cancellation takes effect `notice_days` after it is asked for at the earliest and not
    before `commitment_days` have passed since the start; with `ends_at_period_end`, at the end of the
    period that is then running.
    """

    alignment: Alignment = Alignment.ANNIVERSARY
    calendar_day: int | None = None
    trial_days: int = 0
    trial_end_behavior: TrialEndBehavior = TrialEndBehavior.CREATE_INVOICE
    notice_days: int = 0
    commitment_days: int = 0
    ends_at_period_end: bool = False


@dataclass(frozen=True, slots=True)
class PlanComponent:
    """One line of a plan; `prices` has one entry per currency.

    An `optional` component is an add-on, which a subscription has only when it is asked for.
    `free_units` cost nothing in a period. `minimums` are the least that a period costs, in minor units
    by currency; what is missing is charged when the period has ended. `meter` names what a usage
    component counts. A usage component is always in arrears, a one-time one in advance.
    """

    id: PlanComponentId
    code: str
    name: str
    timing: Timing
    unit_name: str
    prices: dict[str, Pricing]
    kind: ComponentKind = ComponentKind.RECURRING
    optional: bool = False
    free_units: Decimal = Decimal(0)
    minimums: dict[str, int] = field(default_factory=dict)
    meter: str | None = None


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """The terms of a plan as they are sold from some day on; it never changes.

    `tax_inclusive`: the prices contain the tax.
    """

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
    tax_inclusive: bool = False
    terms: PlanTerms = PlanTerms()

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies in which every component has a price."""
        prices = [frozenset(component.prices) for component in self.components]
        return frozenset.intersection(*prices) if prices else frozenset()

    @property
    def has_usage(self) -> bool:
        return any(component.kind is ComponentKind.USAGE for component in self.components)

    @property
    def has_metered_features(self) -> bool:
        return any(feature.kind is FeatureKind.METERED for feature in self.features)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its newest version, which new subscriptions get; `revision` counts every change of it,
    new versions included.
    """

    id: PlanId
    code: str
    name: str
    description: str
    status: PlanStatus
    metadata: dict[str, str]
    created_at: datetime
    version: PlanVersion
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature as all plans share it; versions of plans keep the name under which they gave it.

    `meter` counts a metered feature, by default the one that has its code. `options` are the values that
    a static one may take, none for any. `default` is what an account has of it that nothing else gives.
    """

    id: FeatureId
    code: str
    name: str
    kind: FeatureKind
    created_at: datetime
    updated_at: datetime
    meter: str | None = None
    combination: Combination = Combination.ADDITIVE
    on_change: AllowanceChange = AllowanceChange.PRORATE_GRANT
    options: tuple[str, ...] | None = None
    default: FeatureDefinition | None = None
    version: int = 1
