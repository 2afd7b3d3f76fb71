"""Which periods does a subscription have from an instant on?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import Alignment, PlanVersion
from billwright.features.subscriptions.model import Subscription
from billwright.kernel.calendar import (
    Schedule,
    anniversary_schedule,
    calendar_schedule,
)


def schedule_from(begins_at: datetime, *, version: PlanVersion, zone: str) -> Schedule:
    """The schedule of a plan version that begins at an instant, aligned as its terms say."""
    terms = version.terms
    if terms.alignment is Alignment.CALENDAR:
        return calendar_schedule(
            begins_at, zone=zone, interval=version.interval, day_of_month=terms.calendar_day
        )
    return anniversary_schedule(begins_at, zone=zone, interval=version.interval)


def fits(schedule: Schedule, version: PlanVersion) -> bool:
    """Whether a version can go on with the periods of a schedule."""
    return schedule.interval == version.interval


def ending_with_its_period(subscription: Subscription) -> Subscription:
    """The subscription with its cancellation at the end of the period that it has now, if it is to end
    with its period.
    """
    cancellation = subscription.cancellation
    if not cancellation.at_period_end or cancellation.at == subscription.period.end:
        return subscription
    return replace(subscription, cancellation=replace(cancellation, at=subscription.period.end))
