"""What has a subscription used in its period, and how much of that is included?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import FeatureKind, PlanComponent, PlanFeature
from billwright.features.catalog.sql.reads import plan_versions
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
    feature is one on the meter that has the feature's code.

    Refuses: `subscription_unknown`.
    """
    subscription = await subscription_by_id(tx, subscription_id)
    version = (await plan_versions(tx, [subscription.plan_version_id]))[
        subscription.plan_version_id
    ]
    stretches = list(used_stretches(subscription, version, until=subscription.period.end))
    limits = [one for one in version.features if one.kind is FeatureKind.METERED]
    asked = [(one.component.meter or one.component.code, one.start) for one in stretches]
    asked += [(one.code, subscription.period.start) for one in limits]
    used = await used_quantities(tx, _windows(subscription, asked), cutoff=None) if asked else {}
    return MeasuredUsage(
        subscription,
        tuple(
            MeasuredComponent(one.component, one.start, one.end, used.get(key))
            for key, one in enumerate(stretches)
        ),
        tuple(
            MeasuredLimit(
                feature,
                None if feature.value is None else Decimal(str(feature.value)),
                used[key].quantity if key in used else Decimal(0),
            )
            for key, feature in enumerate(limits, start=len(stretches))
        ),
    )


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
