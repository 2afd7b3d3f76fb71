"""What does the database know of subscriptions?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypedDict, Unpack
from uuid import UUID

import asyncpg

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.catalog.sql.reads import version_ids_of
from billwright.features.pricing.rules.pricing import pricing_of
from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.model import (
    Activation,
    Cancellation,
    CancellationFeedback,
    CancellationMode,
    CancellationProration,
    CancellationReason,
    CollectionPause,
    Pause,
    Reminder,
    Subscription,
    SubscriptionId,
    SubscriptionItem,
    SubscriptionState,
    Trial,
    TrialState,
)
from billwright.features.subscriptions.sql.change_rows import (
    pending_change_of,
    unpaid_change_of,
)
from billwright.kernel.calendar import Interval, IntervalUnit, Period, Schedule
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

SUBSCRIPTION_COLUMNS = """s.id, s.number, s.external_id, s.account_id, s.plan_version_id, s.state,
    s.activation, s.activates_until, s.currency, s.zone, s.anchor_local, s.interval_unit,
    s.interval_count, s.schedule_begins_at, s.schedule_first_index, s.schedule_day_of_month, s.started_at,
    s.bills_from, s.period_index, s.period_start, s.period_end, s.next_action_at, s.trial_start,
    s.trial_end, s.trial_end_behavior, s.renews, s.cancel_at, s.canceled_at, s.cancellation_reason,
    s.cancellation_feedback, s.cancellation_comment, s.cancellation_proration,
    s.cancels_at_period_end, s.bills_final_usage, s.ended_at, s.paused_at, s.resumes_at,
    s.keeps_period, s.taken_back, s.pending_change, s.unpaid_change, s.collection_paused,
    s.collection_resumes_at, s.past_due_at, s.trial_original_end, s.trial_state, s.cancellation_mode,
    s.reminder_days, s.reminded_of, s.test_clock_id, s.metadata, s.version, s.created_at, s.updated_at"""

# What many subscriptions have is made once; looking a word up is quicker than asking its enumeration.
_STATES = {str(state): state for state in SubscriptionState}
_ACTIVATIONS = {str(activation): activation for activation in Activation}
_NO_TRIAL = {str(behavior): Trial(end_behavior=behavior) for behavior in TrialEndBehavior}
_NO_CANCELLATION = Cancellation()
_NO_PAUSE = Pause()
_USUAL_REMINDER = Reminder()


async def subscription_by_id(tx: Tx, subscription_id: UUID) -> Subscription:
    """One subscription. Refuses: `subscription_unknown`."""
    rows = await tx.fetch(
        f"select {SUBSCRIPTION_COLUMNS} from subscription s where s.tenant_id = $1 and s.id = $2",
        tx.tenant_id,
        subscription_id,
    )
    if not rows:
        raise subscription_unknown(subscription_id=subscription_id)
    return (await with_items(tx, rows))[0]


async def subscriptions_by_id(
    tx: Tx, subscription_ids: Collection[UUID]
) -> dict[UUID, Subscription]:
    """Subscriptions by id; unknown ones are absent."""
    rows = await tx.fetch(
        f"""select {SUBSCRIPTION_COLUMNS} from subscription s
            where s.tenant_id = $1 and s.id = any($2::uuid[])""",
        tx.tenant_id,
        list(subscription_ids),
    )
    return {one.id: one for one in await with_items(tx, rows)}


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


class SubscriptionFilter(TypedDict, total=False):
    """Which subscriptions are asked for, `plan_code` by any version of the plan; instants are from the
    first one on and up to the second one.
    """

    account_id: UUID | None
    state: SubscriptionState | None
    plan_code: str | None
    external_id: str | None
    created_after: datetime | None
    created_before: datetime | None
    metadata: dict[str, str] | None


async def list_subscriptions(
    tx: Tx, *, before: UUID | None, limit: int, **asked: Unpack[SubscriptionFilter]
) -> list[Subscription]:
    """Subscriptions, newest first, that come after the one named `before` in that order."""
    found = Conditions("s.tenant_id = {}", tx.tenant_id)
    found.add("s.id < {}", before)
    found.add("s.account_id = {}", asked.get("account_id"))
    # In the words of the index: a parameter in place of the state would hide that it serves.
    found.add_text(f"s.state = '{state}'" if (state := asked.get("state")) else None)
    if (plan_code := asked.get("plan_code")) is not None:
        # Not by a subquery: only of versions that it knows the database knows how many have them.
        versions = await version_ids_of(tx, plan_code)
        found.add("s.plan_version_id = any({}::uuid[])", versions)
    found.add("s.external_id = {}", asked.get("external_id"))
    found.add("s.created_at >= {}", asked.get("created_after"))
    found.add("s.created_at < {}", asked.get("created_before"))
    found.add_entries(
        """exists (select from subscription_metadata m where m.tenant_id = $1 and m.key = {}
               and m.value = {} and m.subscription_id = s.id)""",
        asked.get("metadata"),
    )
    rows = await tx.fetch(
        f"""select {SUBSCRIPTION_COLUMNS} from subscription s where {found.sql}
            order by s.id desc limit {found.parameter(limit)}""",
        *found.values,
    )
    return await with_items(tx, rows)


async def due_subscriptions(
    tx: Tx, *, account_ids: Sequence[UUID], as_of: datetime
) -> list[Subscription]:
    """What is due by `as_of` on accounts that the caller has locked."""
    rows = await tx.fetch(
        f"""select {SUBSCRIPTION_COLUMNS} from subscription s
            where s.tenant_id = $1 and s.account_id = any($2::uuid[]) and s.next_action_at <= $3
            order by s.account_id, s.next_action_at, s.id""",
        tx.tenant_id,
        account_ids,
        as_of,
    )
    return await with_items(tx, rows)


async def next_action_of(
    tx: Tx, account_id: UUID, *, subscription_id: UUID | None = None
) -> datetime | None:
    """When something is due next of an account or of one of its subscriptions."""
    found = Conditions("s.tenant_id = {}", tx.tenant_id)
    found.add("s.account_id = {}", account_id)
    found.add("s.id = {}", subscription_id)
    at: datetime | None = await tx.fetch_value(
        f"select min(s.next_action_at) from subscription s where {found.sql}", *found.values
    )
    return at


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


async def incomplete_subscriptions_on(tx: Tx, invoice_ids: Sequence[UUID]) -> list[UUID]:
    """The subscriptions that wait for the payment of any of these invoices."""
    rows = await tx.fetch(
        """select distinct s.id from charge c
           join subscription s on s.tenant_id = c.tenant_id and s.id = c.subscription_id
           where c.tenant_id = $1 and c.invoice_id = any($2::uuid[]) and s.state = 'incomplete'""",
        tx.tenant_id,
        invoice_ids,
    )
    return [row["id"] for row in rows]


async def subscription_with_unpaid_change(tx: Tx, invoice_id: UUID) -> UUID | None:
    """The subscription whose last change was invoiced there and is not paid yet."""
    found: UUID | None = await tx.fetch_value(
        """select id from subscription
           where tenant_id = $1 and (unpaid_change ->> 'invoice_id')::uuid = $2
               and unpaid_change is not null""",
        tx.tenant_id,
        invoice_id,
    )
    return found


async def has_running_subscriptions(tx: Tx, account_id: UUID) -> bool:
    """Whether an account has a subscription that has not ended, also one that is yet to start."""
    found: bool = await tx.fetch_value(
        """select exists (select from subscription
                          where tenant_id = $1 and account_id = $2
                              and state not in ('canceled', 'expired'))""",
        tx.tenant_id,
        account_id,
    )
    return found


async def has_subscriptions(tx: Tx, account_id: UUID, *, other_than: UUID) -> bool:
    """Whether an account has ever had another subscription."""
    found: bool = await tx.fetch_value(
        """select exists (select from subscription
                          where tenant_id = $1 and account_id = $2 and id <> $3)""",
        tx.tenant_id,
        account_id,
        other_than,
    )
    return found


async def with_items(tx: Tx, rows: Sequence[asyncpg.Record]) -> list[Subscription]:
    """Subscriptions from their rows, with all their items in one query."""
    items: dict[UUID, list[SubscriptionItem]] = defaultdict(list)
    for item in await tx.fetch(
        """select subscription_id, plan_component_id, quantity, pricing, accrues_from
           from subscription_item
           where tenant_id = $1 and subscription_id = any($2::uuid[]) order by id""",
        tx.tenant_id,
        [row["id"] for row in rows],
    ):
        pricing = item["pricing"]
        items[item["subscription_id"]].append(
            SubscriptionItem(
                item["plan_component_id"],
                item["quantity"],
                pricing_of(from_json(pricing)) if pricing else None,
                item["accrues_from"],
            )
        )
    return [_from_row(row, tuple(items[row["id"]])) for row in rows]


def _from_row(row: asyncpg.Record, items: tuple[SubscriptionItem, ...]) -> Subscription:
    collection_paused = row["collection_paused"]
    return Subscription(
        id=SubscriptionId(row["id"]),
        number=row["number"],
        external_id=row["external_id"],
        account_id=row["account_id"],
        plan_version_id=row["plan_version_id"],
        state=_STATES[row["state"]],
        activation=_ACTIVATIONS[row["activation"]],
        activates_until=row["activates_until"],
        currency=row["currency"],
        schedule=Schedule(
            row["anchor_local"],
            row["zone"],
            _interval(row["interval_unit"], row["interval_count"]),
            row["schedule_begins_at"],
            row["schedule_first_index"],
            row["schedule_day_of_month"],
        ),
        period=Period(row["period_index"], row["period_start"], row["period_end"]),
        items=items,
        started_at=row["started_at"],
        bills_from=row["bills_from"],
        next_action_at=row["next_action_at"],
        trial=_trial(row),
        renews=row["renews"],
        reminder=_reminder(row),
        cancellation=_cancellation(row),
        ended_at=row["ended_at"],
        pause=_pause(row),
        pending_change=pending_change_of(row["pending_change"]),
        unpaid_change=unpaid_change_of(row["unpaid_change"]),
        collection_paused=CollectionPause(collection_paused) if collection_paused else None,
        collection_resumes_at=row["collection_resumes_at"],
        past_due_at=row["past_due_at"],
        test_clock_id=row["test_clock_id"],
        metadata=from_json(row["metadata"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


@lru_cache(maxsize=1_000)
def _interval(unit: str, count: int) -> Interval:
    return Interval(IntervalUnit(unit), count)


def _trial(row: asyncpg.Record) -> Trial:
    if row["trial_end"] is None:
        return _NO_TRIAL[row["trial_end_behavior"]]
    behavior = TrialEndBehavior(row["trial_end_behavior"])
    return Trial(
        start=row["trial_start"],
        end=row["trial_end"],
        original_end=row["trial_original_end"],
        state=TrialState(row["trial_state"]),
        end_behavior=behavior,
    )


def _reminder(row: asyncpg.Record) -> Reminder:
    days, sent_for = row["reminder_days"], row["reminded_of"]
    return _USUAL_REMINDER if days is None and sent_for is None else Reminder(days, sent_for)


def _cancellation(row: asyncpg.Record) -> Cancellation:
    if row["canceled_at"] is None:
        return _NO_CANCELLATION
    feedback, proration = row["cancellation_feedback"], row["cancellation_proration"]
    reason, mode = row["cancellation_reason"], row["cancellation_mode"]
    return Cancellation(
        mode=CancellationMode(mode) if mode else None,
        at=row["cancel_at"],
        at_period_end=row["cancels_at_period_end"],
        requested_at=row["canceled_at"],
        reason=CancellationReason(reason) if reason else None,
        feedback=CancellationFeedback(feedback) if feedback else None,
        comment=row["cancellation_comment"],
        proration=CancellationProration(proration) if proration else None,
        bills_final_usage=row["bills_final_usage"],
    )


def _pause(row: asyncpg.Record) -> Pause:
    taken_back = row["taken_back"]
    if row["paused_at"] is None and taken_back is None:
        return _NO_PAUSE
    return Pause(
        at=row["paused_at"],
        resumes_at=row["resumes_at"],
        keeps_period=row["keeps_period"],
        taken_back=tuple(taken_back or ()),
    )
