"""What does the database know of subscriptions?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.model import (
    CancellationReason,
    Subscription,
    SubscriptionId,
    SubscriptionItem,
    SubscriptionState,
)
from billwright.kernel.calendar import Interval, IntervalUnit, Period, Schedule
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_COLUMNS = """s.id, s.number, s.external_id, s.account_id, s.plan_version_id, s.state, s.currency,
    s.zone, s.anchor_local, s.interval_unit, s.interval_count, s.schedule_begins_at,
    s.schedule_first_index, s.schedule_day_of_month, s.started_at, s.period_index, s.period_start,
    s.period_end, s.next_action_at, s.cancel_at, s.canceled_at, s.cancellation_reason,
    s.cancellation_comment, s.ended_at, s.test_clock_id, s.metadata, s.version, s.created_at,
    s.updated_at"""


async def subscription_by_id(tx: Tx, subscription_id: UUID) -> Subscription:
    """One subscription. Refuses: `subscription_unknown`."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from subscription s where s.tenant_id = $1 and s.id = $2",
        tx.tenant_id,
        subscription_id,
    )
    if not rows:
        raise subscription_unknown(subscription_id=subscription_id)
    return (await with_items(tx, rows))[0]


async def account_of(tx: Tx, subscription_id: UUID) -> UUID:
    """The account that a subscription belongs to, for ever. Refuses: `subscription_unknown`."""
    account_id: UUID | None = await tx.fetch_value(
        "select account_id from subscription where tenant_id = $1 and id = $2",
        tx.tenant_id,
        subscription_id,
    )
    if account_id is None:
        raise subscription_unknown(subscription_id=subscription_id)
    return account_id


async def list_subscriptions(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    state: SubscriptionState | None = None,
) -> list[Subscription]:
    """Subscriptions, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from subscription s
            where s.tenant_id = $1 and ($2::uuid is null or s.id < $2)
                and ($4::uuid is null or s.account_id = $4)
                and ($5::text is null or s.state = $5)
            order by s.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        state.value if state else None,
    )
    return await with_items(tx, rows)


async def due_subscriptions(
    tx: Tx, *, account_ids: Sequence[UUID], as_of: datetime
) -> list[Subscription]:
    """What is due by `as_of` on accounts that the caller has locked."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from subscription s
            where s.tenant_id = $1 and s.account_id = any($2::uuid[]) and s.next_action_at <= $3
            order by s.account_id, s.next_action_at, s.id""",
        tx.tenant_id,
        account_ids,
        as_of,
    )
    return await with_items(tx, rows)


async def earliest_action(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When something is first due on a test clock; parked accounts are left out."""
    at: datetime | None = await tx.fetch_value(
        """select min(s.next_action_at) from subscription s
           join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
           where s.tenant_id = $1 and s.test_clock_id = $2 and a.parked_reason is null""",
        tx.tenant_id,
        test_clock_id,
    )
    return at


async def with_items(tx: Tx, rows: Sequence[asyncpg.Record]) -> list[Subscription]:
    """Subscriptions from their rows, with all their items in one query."""
    items: dict[UUID, list[SubscriptionItem]] = defaultdict(list)
    for item in await tx.fetch(
        """select subscription_id, plan_component_id, quantity from subscription_item
           where tenant_id = $1 and subscription_id = any($2::uuid[]) order by id""",
        tx.tenant_id,
        [row["id"] for row in rows],
    ):
        items[item["subscription_id"]].append(
            SubscriptionItem(item["plan_component_id"], item["quantity"])
        )
    return [_from_row(row, tuple(items[row["id"]])) for row in rows]


def _from_row(row: asyncpg.Record, items: tuple[SubscriptionItem, ...]) -> Subscription:
    reason = row["cancellation_reason"]
    return Subscription(
        id=SubscriptionId(row["id"]),
        number=row["number"],
        external_id=row["external_id"],
        account_id=row["account_id"],
        plan_version_id=row["plan_version_id"],
        state=SubscriptionState(row["state"]),
        currency=row["currency"],
        schedule=Schedule(
            row["anchor_local"],
            row["zone"],
            Interval(IntervalUnit(row["interval_unit"]), row["interval_count"]),
            row["schedule_begins_at"],
            row["schedule_first_index"],
            row["schedule_day_of_month"],
        ),
        period=Period(row["period_index"], row["period_start"], row["period_end"]),
        items=items,
        started_at=row["started_at"],
        next_action_at=row["next_action_at"],
        cancel_at=row["cancel_at"],
        canceled_at=row["canceled_at"],
        cancellation_reason=CancellationReason(reason) if reason else None,
        cancellation_comment=row["cancellation_comment"],
        ended_at=row["ended_at"],
        test_clock_id=row["test_clock_id"],
        metadata=from_json(row["metadata"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
