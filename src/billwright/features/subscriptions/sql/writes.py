"""How do subscriptions change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billwright.features.subscriptions.model import Subscription, UnpaidChange
from billwright.features.subscriptions.rules.reminding import reminds_at
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def claim_due_accounts(
    tx: Tx,
    *,
    test_clock_id: UUID | None,
    as_of: datetime,
    limit: int,
    after: UUID | None = None,
) -> list[UUID]:
    """Lock up to `limit` accounts that have something due, those that have waited longest first; with
    `after`, those beyond that id in the order of the ids.

    Accounts that another worker or a command holds are passed over, not waited for; parked ones are
    left alone.
    """
    clock = (
        "s.test_clock_id = $4" if test_clock_id else "s.test_clock_id is null and $4::uuid is null"
    )
    beyond = "a.id > $5" if after else "$5::uuid is null"
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select a.id from subscription s
            join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
            where s.tenant_id = $1 and s.next_action_at <= $2 and a.parked_reason is null and {clock}
                and {beyond}
            order by {"a.id" if after else "s.next_action_at"}
            limit $3
            for no key update of a skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
        after,
    )
    return list({row["id"] for row in rows})


async def insert_subscription(tx: Tx, subscription: Subscription) -> bool:
    """Store a new subscription with its items; false when its external id is taken."""
    inserted = await tx.insert(
        "subscription",
        [
            {
                **_changeable(subscription),
                "number": subscription.number,
                "external_id": subscription.external_id,
                "account_id": subscription.account_id,
                "currency": subscription.currency,
                "activation": subscription.activation,
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
    await _insert_items(tx, [subscription])
    await tx.insert(
        "subscription_metadata",
        [{"key": key, "value": value} for key, value in subscription.metadata.items()],
        shared={"subscription_id": subscription.id},
    )
    return True


async def advance_subscriptions(tx: Tx, subscriptions: Sequence[Subscription]) -> None:
    """Store that subscriptions have come into another period and nothing else, many in one statement."""
    updated = await tx.execute(
        """update subscription s
           set period_index = u.period_index, period_start = u.period_start,
               period_end = u.period_end, next_action_at = u.next_action_at,
               reminder_at = u.reminder_at,
               version = u.version, updated_at = $2
           from json_populate_recordset(null::subscription, $3::json) as u
           where s.tenant_id = $1 and s.id = u.id and s.version = u.version - 1""",
        tx.tenant_id,
        tx.now,
        to_json(
            [
                {
                    "id": subscription.id,
                    "period_index": subscription.period.index,
                    "period_start": subscription.period.start,
                    "period_end": subscription.period.end,
                    "next_action_at": subscription.next_action_at,
                    "reminder_at": reminds_at(subscription),
                    "version": subscription.version,
                }
                for subscription in subscriptions
            ]
        ),
    )
    _require_all(subscriptions, updated)


async def update_subscriptions(tx: Tx, subscriptions: Sequence[Subscription]) -> None:
    """Store all that can change in the life of subscriptions, many in one statement.

    Each must be at the version before; a row that is not is a bug, since its account is locked.
    """
    updated = await tx.execute(
        f"""update subscription s
           set {_ASSIGNMENTS}, updated_at = $2
           from json_populate_recordset(null::subscription, $3::json) as u
           where s.tenant_id = $1 and s.id = u.id and s.version = u.version - 1""",
        tx.tenant_id,
        tx.now,
        to_json([_changeable(subscription) for subscription in subscriptions]),
    )
    _require_all(subscriptions, updated)


async def set_unpaid_change(tx: Tx, subscription_id: UUID, *, change: UnpaidChange) -> None:
    """Note what a subscription was before a change that it has just made."""
    await tx.execute(
        "update subscription set unpaid_change = $3 where tenant_id = $1 and id = $2",
        tx.tenant_id,
        subscription_id,
        to_json(change),
    )


async def forget_unpaid_changes(tx: Tx, invoice_ids: Sequence[UUID]) -> list[UUID]:
    """Forget what subscriptions were before the changes that were invoiced there; which those are."""
    rows = await tx.fetch(
        """update subscription set unpaid_change = null
           where tenant_id = $1 and (unpaid_change ->> 'invoice_id')::uuid = any($2::uuid[])
               and unpaid_change is not null
           returning id""",
        tx.tenant_id,
        invoice_ids,
    )
    return [row["id"] for row in rows]


class StoredReminder(NamedTuple):
    """The end that a subscription was reminded of last, and when it is to be reminded next."""

    subscription_id: UUID
    sent_for: datetime | None
    due_at: datetime | None


async def store_reminders(tx: Tx, reminders: Sequence[StoredReminder]) -> None:
    """Note who was reminded, many in one statement. That changes nothing that a decision could rest on,
    so that the versions of the subscriptions stay.
    """
    await tx.execute(
        """update subscription s set reminded_of = r.reminded_of, reminder_at = r.reminder_at
           from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
               as r (id, reminded_of, reminder_at)
           where s.tenant_id = $1 and s.id = r.id""",
        tx.tenant_id,
        [one.subscription_id for one in reminders],
        [one.sent_for for one in reminders],
        [one.due_at for one in reminders],
    )


async def replace_items(tx: Tx, subscriptions: Sequence[Subscription]) -> None:
    """Store the items of subscriptions in place of those that they had."""
    await tx.execute(
        """delete from subscription_item
           where tenant_id = $1 and subscription_id = any($2::uuid[])""",
        tx.tenant_id,
        [subscription.id for subscription in subscriptions],
    )
    await _insert_items(tx, subscriptions)


async def _insert_items(tx: Tx, subscriptions: Sequence[Subscription]) -> None:
    await tx.insert(
        "subscription_item",
        [
            {
                "id": new_id(),
                "subscription_id": subscription.id,
                "plan_component_id": item.plan_component_id,
                "quantity": item.quantity,
                "pricing": item.pricing,
                "accrues_from": item.accrues_from,
            }
            for subscription in subscriptions
            for item in subscription.items
        ],
    )


def _require_all(subscriptions: Sequence[Subscription], updated: int) -> None:
    if updated != len(subscriptions):
        raise RuntimeError(f"{len(subscriptions)} subscriptions were to change, {updated} did")


_CHANGEABLE = (
    "plan_version_id",
    "state",
    "activates_until",
    "zone",
    "anchor_local",
    "interval_unit",
    "interval_count",
    "schedule_begins_at",
    "schedule_first_index",
    "schedule_day_of_month",
    "period_index",
    "bills_from",
    "period_start",
    "period_end",
    "next_action_at",
    "trial_start",
    "trial_end",
    "trial_original_end",
    "trial_state",
    "trial_end_behavior",
    "renews",
    "reminder_days",
    "reminder_at",
    "cancel_at",
    "canceled_at",
    "cancellation_mode",
    "cancellation_reason",
    "cancellation_feedback",
    "cancellation_comment",
    "cancellation_proration",
    "cancels_at_period_end",
    "bills_final_usage",
    "ended_at",
    "paused_at",
    "resumes_at",
    "keeps_period",
    "taken_back",
    "pending_change",
    "unpaid_change",
    "collection_paused",
    "collection_resumes_at",
    "past_due_at",
    "version",
)
_ASSIGNMENTS = ", ".join(f"{column} = u.{column}" for column in _CHANGEABLE)


def _changeable(subscription: Subscription) -> dict[str, object]:
    schedule, trial = subscription.schedule, subscription.trial
    cancellation, pause = subscription.cancellation, subscription.pause
    values = (
        subscription.plan_version_id,
        subscription.state,
        subscription.activates_until,
        schedule.zone,
        schedule.anchor_local,
        schedule.interval.unit,
        schedule.interval.count,
        schedule.begins_at,
        schedule.first_index,
        schedule.day_of_month,
        subscription.period.index,
        subscription.bills_from,
        subscription.period.start,
        subscription.period.end,
        subscription.next_action_at,
        trial.start,
        trial.end,
        trial.original_end,
        trial.state,
        trial.end_behavior,
        subscription.renews,
        subscription.reminder.days,
        reminds_at(subscription),
        cancellation.at,
        cancellation.requested_at,
        cancellation.mode,
        cancellation.reason,
        cancellation.feedback,
        cancellation.comment,
        cancellation.proration,
        cancellation.at_period_end,
        cancellation.bills_final_usage,
        subscription.ended_at,
        pause.at,
        pause.resumes_at,
        pause.keeps_period,
        pause.taken_back or None,
        subscription.pending_change,
        subscription.unpaid_change,
        subscription.collection_paused,
        subscription.collection_resumes_at,
        subscription.past_due_at,
        subscription.version,
    )
    return {"id": subscription.id, **dict(zip(_CHANGEABLE, values, strict=True))}
