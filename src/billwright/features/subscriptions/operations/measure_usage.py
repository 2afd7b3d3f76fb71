"""What has a subscription used in its period, and how much of that is included?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import (
    FeatureKind,
    PlanComponent,
    PlanFeature,
    PlanVersion,
)
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.rules.service_charges import used_stretches
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.usage.model import UsageWindow, Used
from billwright.features.usage.sql.reads import used_quantities
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class MeasuredComponent:
    """What was used of a component's meter in its window; none when there were no events."""

    component: PlanComponent
    start: datetime
    end: datetime
    used: Used | None


@dataclass(frozen=True, slots=True)
class MeasuredLimit:
    """What was used of a limit; none is no limit, and then nothing remains to be counted."""

    feature: PlanFeature
    limit: Decimal | None
    used: Decimal

    @property
    def remaining(self) -> Decimal | None:
        return None if self.limit is None else max(self.limit - self.used, Decimal(0))


@dataclass(frozen=True, slots=True)
class MeasuredUsage:
    """What is known of the usage of a subscription's period."""

    subscription: Subscription
    components: tuple[MeasuredComponent, ...]
    limits: tuple[MeasuredLimit, ...]


async def measure_usage(tx: Tx, subscription_id: UUID) -> MeasuredUsage:
    """What is known by now, as if nothing more came until the period ends. The limit of a metered
    feature is one on its meter, and that of an add-on counts for each of its units.

    Refuses: `subscription_unknown`.
    """
    subscription = await subscription_by_id(tx, subscription_id)
    version = (await plan_versions(tx, [subscription.plan_version_id]))[
        subscription.plan_version_id
    ]
    stretches = list(used_stretches(subscription, version, until=subscription.period.end))
    limits = _limits(subscription, version)
    features = await features_by_code(tx, [one.code for one, _ in limits]) if limits else {}
    asked = [(one.component.meter or one.component.code, one.start) for one in stretches]
    asked += [
        (features[one.code].meter or one.code, subscription.period.start) for one, _ in limits
    ]
    used = await used_quantities(tx, _windows(subscription, asked), cutoff=None) if asked else {}
    return MeasuredUsage(
        subscription,
        tuple(
            MeasuredComponent(one.component, one.start, one.end, used.get(key))
            for key, one in enumerate(stretches)
        ),
        tuple(
            MeasuredLimit(feature, limit, used[key].quantity if key in used else Decimal(0))
            for key, (feature, limit) in enumerate(limits, start=len(stretches))
        ),
    )


def _limits(
    subscription: Subscription, version: PlanVersion
) -> list[tuple[PlanFeature, Decimal | None]]:
    """Each metered feature with what the plan and the subscription's add-ons give of it together."""
    units = {item.plan_component_id: item.quantity for item in subscription.items}
    times = {one.code: units.get(one.id, Decimal(0)) for one in version.components}
    limits: dict[str, tuple[PlanFeature, Decimal | None]] = {}
    for feature in version.features:
        factor = Decimal(1) if feature.add_on is None else times[feature.add_on]
        if feature.kind is not FeatureKind.METERED or not factor:
            continue
        first, before = limits.get(feature.code, (feature, Decimal(0)))
        more = None if feature.value is None else Decimal(str(feature.value)) * factor
        limits[feature.code] = (first, None if before is None or more is None else before + more)
    return list(limits.values())


def _windows(
    subscription: Subscription, asked: Sequence[tuple[str, datetime]]
) -> list[UsageWindow]:
    whole = subscription.schedule.whole(subscription.period.index)
    return [
        UsageWindow(
            key=key,
            subscription_id=subscription.id,
            meter=meter,
            start=start,
            end=subscription.period.end,
            period=whole.end - whole.start,
        )
        for key, (meter, start) in enumerate(asked)
    ]
