"""Does a payment that is missing, given up on or late always have its effect, and only once?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.entitlements.sql.reads import sources_of
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationReason,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    Terms,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.mark_past_due import mark_past_due
from billwright.features.subscriptions.operations.mark_unpaid import mark_unpaid
from billwright.features.subscriptions.operations.pause_subscription import (
    PauseSubscription,
    pause_subscription,
)
from billwright.features.subscriptions.operations.recover_subscription import recover_subscription
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.only_commands import allow_writing_by_hand

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LATE = BEGAN + 100 * DAY
State = SubscriptionState


async def subscribed(tenant, **changes):
    async with tenant.tx() as tx:
        await a_plan(tx, components=(in_arrears("storage", "31.00"),))
        return (await a_subscription(tx, await an_account(tx), **changes)).subscription


async def now(tenant, subscription):
    async with tenant.tx() as tx:
        return await subscription_by_id(tx, subscription.id)


async def past_due(tenant, subscription, *, since=BEGAN):
    async with tenant.tx() as tx:
        return await mark_past_due(tx, subscription.id, since=since)


async def unpaid(tenant, subscription):
    async with tenant.tx() as tx:
        return await mark_unpaid(tx, subscription.id)


async def recovered(tenant, subscription):
    async with tenant.tx() as tx:
        return await recover_subscription(tx, subscription.id)


async def recorded(tenant, subscription):
    """Its audited actions and events about a payment, in their order."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select id, action as what from audit_entry where subject_id = $1
               union all select id, type from event where subject_id = $1 order by id""",
            subscription.id,
        )
    words = ("past_due", "unpaid", "recover", "recovered", "recover_when_billable")
    return [row["what"] for row in rows if row["what"].endswith(words)]


async def has_access(tenant, subscription):
    async with tenant.tx() as tx:
        return bool(await sources_of(tx, [subscription.account_id]))


async def test_each_step_is_told_once_and_the_first_instant_is_kept(tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(BEGAN + DAY)
    assert await past_due(tenant, subscription, since=BEGAN)
    assert await past_due(tenant, subscription, since=BEGAN + DAY)
    assert (
        (await now(tenant, subscription)).past_due_at,
        await has_access(tenant, subscription),
    ) == (
        BEGAN,
        True,
    )
    assert await unpaid(tenant, subscription)
    assert not await unpaid(tenant, subscription)
    assert not await past_due(tenant, subscription)
    stopped = await now(tenant, subscription)
    assert (stopped.state, stopped.next_action_at) == (State.UNPAID, None)
    assert not await has_access(tenant, subscription)
    assert await recovered(tenant, subscription)
    assert not await recovered(tenant, subscription)
    again = await now(tenant, subscription)
    assert (again.state, again.past_due_at) == (State.ACTIVE, None)
    assert again.next_action_at == subscription.period.end
    assert await has_access(tenant, subscription)
    assert sorted(await recorded(tenant, subscription)) == [
        "subscription.became_past_due",
        "subscription.became_unpaid",
        "subscription.mark_past_due",
        "subscription.mark_unpaid",
        "subscription.recover",
        "subscription.recovered",
    ]


async def test_a_trial_and_a_pause_are_left_as_they_are(tenant):
    trying = await subscribed(tenant, trial_days=14)
    assert not await past_due(tenant, trying)
    assert (await now(tenant, trying)).state is State.TRIALING
    async with tenant.tx() as tx:
        paused = (await a_subscription(tx, await an_account(tx))).subscription
        await pause_subscription(tx, PauseSubscription(subscription_id=paused.id))
    assert not await past_due(tenant, paused)


async def test_what_is_past_due_may_not_be_paused(tenant):
    subscription = await subscribed(tenant)
    await past_due(tenant, subscription)
    with pytest.raises(Refusal, match="does not allow 'pause'"):
        async with tenant.tx() as tx:
            await pause_subscription(tx, PauseSubscription(subscription_id=subscription.id))


@pytest.mark.parametrize("parked", [False, True])
async def test_a_late_run_and_a_parked_account_do_not_stand_in_the_way(tenant, clock, parked):
    """Three periods behind: past due and recovered bill nothing, and the run does it afterwards."""
    subscription = await subscribed(tenant)
    if parked:
        async with tenant.tx() as tx:
            await tx.execute("update account set parked_reason = 'look at this'")
    clock.move_to(LATE)
    assert await past_due(tenant, subscription)
    assert await recovered(tenant, subscription)
    after = await now(tenant, subscription)
    assert (after.period, after.next_action_at) == (subscription.period, subscription.period.end)
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from invoice") == 0
        await tx.execute("update account set parked_reason = null")
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from invoice") == 3


async def test_what_is_given_up_late_is_not_renewed_first(tenant, clock):
    subscription = await subscribed(tenant)
    await past_due(tenant, subscription)
    clock.move_to(subscription.period.end + DAY)
    assert await unpaid(tenant, subscription)
    assert await renew_due_subscriptions(tenant.work()) == 0
    async with tenant.tx() as tx:
        rows = await tx.fetch("select period_end, amount_minor from charge")
    assert [tuple(row) for row in rows] == [(subscription.period.end, 3100)]


async def break_billing(tenant):
    """No price any more in what is to be billed."""
    async with tenant.tx() as tx:
        await allow_writing_by_hand(tx)
        await tx.execute("update subscription set currency = 'USD'")


async def mend_billing(tenant):
    async with tenant.tx() as tx:
        await allow_writing_by_hand(tx)
        await tx.execute("update subscription set currency = 'EUR'")
        await tx.execute("update account set parked_reason = null")


async def test_what_cannot_be_billed_stops_all_the_same_and_is_shown_to_a_person(tenant, clock):
    subscription = await subscribed(tenant)
    await past_due(tenant, subscription)
    clock.move_to(BEGAN + 10 * DAY)
    await break_billing(tenant)
    assert await unpaid(tenant, subscription)
    assert (await now(tenant, subscription)).state is State.UNPAID
    assert not await has_access(tenant, subscription)
    async with tenant.tx() as tx:
        assert (await account_by_id(tx, subscription.account_id)).parked_reason


async def test_money_for_what_cannot_be_billed_brings_it_back_once_it_can(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
    await past_due(tenant, subscription)
    await unpaid(tenant, subscription)
    clock.move_to(LATE)
    await break_billing(tenant)
    assert await recovered(tenant, subscription)
    assert await recovered(tenant, subscription)
    assert (await now(tenant, subscription)).state is State.UNPAID
    assert await renew_due_subscriptions(tenant.work()) == 0  # it is parked
    await mend_billing(tenant)
    clock.move_to(LATE + DAY)
    assert await renew_due_subscriptions(tenant.work()) == 1
    again = await now(tenant, subscription)
    assert (again.state, again.period.start) == (State.ACTIVE, LATE)
    assert (again.pause.at, again.past_due_at) == (None, None)
    assert await has_access(tenant, subscription)
    assert (await recorded(tenant, subscription)).count("subscription.recovered") == 1


async def test_what_was_to_end_meanwhile_does_not_come_back(tenant, clock):
    subscription = await subscribed(tenant)
    await past_due(tenant, subscription)
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(
                subscription_id=subscription.id, mode=CancellationMode.AT, cancel_at=BEGAN + 5 * DAY
            ),
        )
    await unpaid(tenant, subscription)
    clock.move_to(BEGAN + 6 * DAY)
    assert not await recovered(tenant, subscription)
    await renew_due_subscriptions(tenant.work())
    assert (await now(tenant, subscription)).state is State.CANCELED
    assert not await recovered(tenant, subscription)


@pytest.mark.parametrize("given_up", [False, True])
async def test_it_may_end_for_want_of_payment_whatever_the_notice(tenant, given_up):
    subscription = await subscribed(tenant)
    await past_due(tenant, subscription)
    if given_up:
        await unpaid(tenant, subscription)
    command = CancelSubscription(
        subscription_id=subscription.id,
        mode=CancellationMode.NOW,
        terms=Terms.WAIVE,
        reason=CancellationReason.PAYMENT_FAILED,
    )
    async with tenant.tx() as tx:
        ended = (await cancel_subscription(tx, command)).subscription
    assert (ended.state, ended.cancellation.reason) == (State.CANCELED, "payment_failed")


async def test_another_tenants_subscription_is_unknown(tenant, other_tenant):
    subscription = await subscribed(tenant)
    for command in (
        lambda tx: mark_past_due(tx, subscription.id, since=BEGAN),
        lambda tx: mark_unpaid(tx, subscription.id),
        lambda tx: recover_subscription(tx, subscription.id),
    ):
        with pytest.raises(Refusal, match="There is no subscription"):
            async with other_tenant.tx() as tx:
                await command(tx)
