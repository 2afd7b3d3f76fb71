"""What has a subscription used in its period?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.catalog.model import PlanComponent
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.rules.service_charges import UsedStretch, used_stretches
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
class MeasuredUsage:
    """What is known of the usage of a subscription's period."""

    subscription: Subscription
    components: tuple[MeasuredComponent, ...]


async def measure_usage(tx: Tx, subscription_id: UUID) -> MeasuredUsage:
    """What is known by now, as if nothing more came until the period ends.

    Refuses: `subscription_unknown`.
    """
    subscription = await subscription_by_id(tx, subscription_id)
    version = (await plan_versions(tx, [subscription.plan_version_id]))[
        subscription.plan_version_id
    ]
    stretches = list(used_stretches(subscription, version, until=subscription.period.end))
    windows = _windows(subscription, stretches)
    used = await used_quantities(tx, windows, cutoff=None) if windows else {}
    return MeasuredUsage(
        subscription,
        tuple(
            MeasuredComponent(one.component, one.start, one.end, used.get(key))
            for key, one in enumerate(stretches)
        ),
    )


def _windows(subscription: Subscription, stretches: Sequence[UsedStretch]) -> list[UsageWindow]:
    whole = subscription.schedule.whole(subscription.period.index)
    return [
        UsageWindow(
            key=key,
            subscription_id=subscription.id,
            meter=one.component.meter or one.component.code,
            start=one.start,
            end=subscription.period.end,
            period=whole.end - whole.start,
        )
        for key, one in enumerate(stretches)
    ]
