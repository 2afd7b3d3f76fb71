"""How do subscriptions change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.model import Subscription
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def claim_due_accounts(
    tx: Tx, *, test_clock_id: UUID | None, as_of: datetime, limit: int
) -> list[UUID]:
    """Lock up to `limit` accounts that have something due, those that have waited longest first.

    Accounts that another worker or a command holds are passed over, not waited for; parked ones are
    left alone.
    """
    clock = (
        "s.test_clock_id = $4" if test_clock_id else "s.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select a.id from subscription s
            join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
            where s.tenant_id = $1 and s.next_action_at <= $2 and a.parked_reason is null and {clock}
            order by s.next_action_at
            limit $3
            for no key update of a skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
    )
    return list({row["id"] for row in rows})


async def insert_subscription(tx: Tx, subscription: Subscription) -> bool:
    """Store a new subscription with its items; false when its external id is taken."""
    schedule = subscription.schedule
    inserted = await tx.insert(
        "subscription",
        [
            {
                **_changeable(subscription),
                "number": subscription.number,
                "external_id": subscription.external_id,
                "account_id": subscription.account_id,
                "plan_version_id": subscription.plan_version_id,
                "currency": subscription.currency,
                "zone": schedule.zone,
                "anchor_local": schedule.anchor_local,
                "interval_unit": schedule.interval.unit,
                "interval_count": schedule.interval.count,
                "schedule_begins_at": schedule.begins_at,
                "schedule_first_index": schedule.first_index,
                "schedule_day_of_month": schedule.day_of_month,
                "started_at": subscription.started_at,
                "test_clock_id": subscription.test_clock_id,
                "metadata": subscription.metadata,
                "created_at": subscription.created_at,
                "updated_at": subscription.updated_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    if not inserted:
        return False
    await tx.insert(
        "subscription_item",
        [
            {
                "id": new_id(),
                "subscription_id": subscription.id,
                "plan_component_id": item.plan_component_id,
                "quantity": item.quantity,
            }
            for item in subscription.items
        ],
    )
    return True


async def update_subscriptions(tx: Tx, subscriptions: Sequence[Subscription]) -> None:
    """Store what changes in the life of subscriptions, many in one statement.

    Each must be at the version before; a row that is not is a bug, since its account is locked.
    """
    updated = await tx.execute(
        """update subscription s
           set state = u.state, period_index = u.period_index, period_start = u.period_start,
               period_end = u.period_end, next_action_at = u.next_action_at,
               cancel_at = u.cancel_at, canceled_at = u.canceled_at,
               cancellation_reason = u.cancellation_reason,
               cancellation_comment = u.cancellation_comment,
               ended_at = u.ended_at, version = u.version, updated_at = $2
           from json_populate_recordset(null::subscription, $3::json) as u
           where s.tenant_id = $1 and s.id = u.id and s.version = u.version - 1""",
        tx.tenant_id,
        tx.now,
        to_json([_changeable(subscription) for subscription in subscriptions]),
    )
    if updated != len(subscriptions):
        raise RuntimeError(f"{len(subscriptions)} subscriptions were to change, {updated} did")


def _changeable(subscription: Subscription) -> dict[str, object]:
    return {
        "id": subscription.id,
        "state": subscription.state,
        "period_index": subscription.period.index,
        "period_start": subscription.period.start,
        "period_end": subscription.period.end,
        "next_action_at": subscription.next_action_at,
        "cancel_at": subscription.cancel_at,
        "canceled_at": subscription.canceled_at,
        "cancellation_reason": subscription.cancellation_reason,
        "cancellation_comment": subscription.cancellation_comment,
        "ended_at": subscription.ended_at,
        "version": subscription.version,
    }
