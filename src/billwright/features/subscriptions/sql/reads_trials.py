"""What does the database know of trials, renewals and reminders?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.errors import trial_unknown
from billwright.features.subscriptions.model import Subscription, TrialState
from billwright.features.subscriptions.sql.reads import (
    SUBSCRIPTION_COLUMNS,
    subscription_by_id,
    with_items,
)
from billwright.runtime.db.tx import Tx

Place = tuple[datetime, UUID]
"""An end and the subscription that has it."""

_PLAN = """exists (select from plan_version v
    join plan p on p.tenant_id = v.tenant_id and p.id = v.plan_id
    where v.tenant_id = s.tenant_id and v.id = s.plan_version_id and p.code = {})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFilter:
    """Which trials are asked for."""

    account_id: UUID | None = None
    plan_code: str | None = None
    state: TrialState | None = None
    ends_after: datetime | None = None
    ends_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFilter:
    """Which ends of trials and periods are asked for: from an instant up to before another."""

    account_id: UUID | None = None
    plan_code: str | None = None
    renews: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


async def trial_by_id(tx: Tx, subscription_id: UUID) -> Subscription:
    """A subscription with a trial. Refuses: `subscription_unknown`, `trial_unknown`."""
    subscription = await subscription_by_id(tx, subscription_id)
    if subscription.trial.end is None:
        raise trial_unknown(subscription_id=subscription_id)
    return subscription


async def list_trials(
    tx: Tx, wanted: TrialFilter, *, after: Place | None, limit: int
) -> list[Subscription]:
    """Subscriptions with a trial, the one that ends last first."""
    ended_before, before_id = after or (None, None)
    rows = await tx.fetch(
        f"""select {SUBSCRIPTION_COLUMNS} from subscription s
            where s.tenant_id = $1 and s.trial_end is not null
                and ($3::timestamptz is null or (s.trial_end, s.id) < ($3, $4::uuid))
                and ($5::uuid is null or s.account_id = $5)
                and ($6::text is null or {_PLAN.format("$6")})
                and ($7::text is null or s.trial_state = $7)
                and ($8::timestamptz is null or s.trial_end >= $8)
                and ($9::timestamptz is null or s.trial_end < $9)
            order by s.trial_end desc, s.id desc limit $2""",
        tx.tenant_id,
        limit,
        ended_before,
        before_id,
        wanted.account_id,
        wanted.plan_code,
        wanted.state.value if wanted.state else None,
        wanted.ends_after,
        wanted.ends_before,
    )
    return await with_items(tx, rows)


async def list_renewals(
    tx: Tx, wanted: RenewalFilter, *, after: Place | None, limit: int
) -> list[Subscription]:
    """Subscriptions that run, in the order in which their trials or periods end."""
    ended_at, after_id = after or (None, None)
    rows = await tx.fetch(
        f"""select {SUBSCRIPTION_COLUMNS} from subscription s
            where s.tenant_id = $1 and s.state in ('trialing', 'active', 'past_due')
                and ($3::timestamptz is null or (s.period_end, s.id) > ($3, $4::uuid))
                and ($5::uuid is null or s.account_id = $5)
                and ($6::text is null or {_PLAN.format("$6")})
                and ($7::bool is null or $7 = (
                    s.renews and (s.cancel_at is null or s.cancel_at > s.period_end)))
                and ($8::timestamptz is null or s.period_end >= $8)
                and ($9::timestamptz is null or s.period_end < $9)
            order by s.period_end, s.id limit $2""",
        tx.tenant_id,
        limit,
        ended_at,
        after_id,
        wanted.account_id,
        wanted.plan_code,
        wanted.renews,
        wanted.since,
        wanted.until,
    )
    return await with_items(tx, rows)


async def earliest_reminder(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When somebody on a test clock is first to be reminded; parked accounts are left out."""
    at: datetime | None = await tx.fetch_value(
        """select min(s.reminder_at) from subscription s
           join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
           where s.tenant_id = $1 and s.test_clock_id = $2 and s.reminder_at is not null
               and a.parked_reason is null""",
        tx.tenant_id,
        test_clock_id,
    )
    return at


async def trial_redeemed_at(
    tx: Tx, *, account_id: UUID, email_key: str | None, plan_code: str
) -> datetime | None:
    """Since when a customer has had its trial of a plan; none when it had none."""
    at: datetime | None = await tx.fetch_value(
        """select min(redeemed_at) from (
               select redeemed_at from trial_redemption
               where tenant_id = $1 and account_id = $2 and plan_code = $4
               union all
               select redeemed_at from trial_redemption
               where tenant_id = $1 and email_key = $3 and plan_code = $4) r""",
        tx.tenant_id,
        account_id,
        email_key,
        plan_code,
    )
    return at


async def times_of_clocks(tx: Tx, clock_ids: list[UUID]) -> dict[UUID, datetime]:
    """Where test clocks stand."""
    rows = await tx.fetch(
        "select id, now from test_clock where tenant_id = $1 and id = any($2::uuid[])",
        tx.tenant_id,
        clock_ids,
    )
    return {row["id"]: row["now"] for row in rows}
