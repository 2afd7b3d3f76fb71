"""What is ahead of subscriptions at the end of their trials and periods?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Boundary, Subscription
from billwright.features.subscriptions.rules.reminding import (
    at_boundary,
    reminds_at,
    renews_at_end,
)
from billwright.features.subscriptions.sql.reads_trials import times_of_clocks
from billwright.runtime.db.tx import Tx

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is ahead of a subscription, as things stand: `days_left` are the days up to there, each that
    has begun counted, by its account's clock.
    """

    subscription: Subscription
    versions: Mapping[UUID, PlanVersion]
    boundary: Boundary
    renews: bool
    reminder_at: datetime | None
    days_left: int


async def tell_boundaries(tx: Tx, subscriptions: Sequence[Subscription]) -> list[Ahead]:
    """What is ahead of many subscriptions, by one query for each kind of row."""
    accounts = await accounts_by_id(tx, list({one.account_id for one in subscriptions}))
    clocks = {one.test_clock_id for one in subscriptions if one.test_clock_id is not None}
    times = await times_of_clocks(tx, list(clocks)) if clocks else {}
    versions = await plan_versions(
        tx,
        list(
            {one.plan_version_id for one in subscriptions}
            | {one.pending_change.plan_version_id for one in subscriptions if one.pending_change}
        ),
    )
    return [
        Ahead(
            subscription=one,
            versions=versions,
            boundary=at_boundary(
                one, has_payment_method=accounts[one.account_id].has_payment_method
            ),
            renews=renews_at_end(one),
            reminder_at=reminds_at(one),
            days_left=_days(
                one.period.end - (times[one.test_clock_id] if one.test_clock_id else tx.now)
            ),
        )
        for one in subscriptions
    ]


def _days(span: timedelta) -> int:
    return max(-(-span // _DAY), 0)
