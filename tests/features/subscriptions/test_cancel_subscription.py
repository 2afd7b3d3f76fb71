"""What does the end of a subscription cost, and when does it come?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from billwright.features.entitlements.sql.reads import sources_of
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of, list_invoices
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import (
    CancellationFeedback,
    CancellationMode,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.refusal import Refusal
from tests.features.billing import TEAM_FEATURES, a_plan, a_subscription, an_account, in_arrears

NOW, AT_END = CancellationMode.NOW, CancellationMode.PERIOD_END


async def subscribed(tenant, **plan):
    async with tenant.tx() as tx:
        await a_plan(tx, **plan)
        return (await a_subscription(tx, await an_account(tx))).subscription


async def cancel(tenant, subscription, mode=NOW, **changes):
    command = CancelSubscription(subscription_id=subscription.id, mode=mode, **changes)
    async with tenant.tx() as tx:
        return (await cancel_subscription(tx, command)).subscription


async def books(tenant):
    """Every invoice, oldest first, as its lines: from, to, net amount."""
    async with tenant.tx() as tx:
        return [
            [
                (line.period_start, line.period_end, line.amount_minor)
                for line in await lines_of(tx, invoice.id)
            ]
            for invoice in (await list_invoices(tx, before=None, limit=99))[::-1]
        ]


async def has_access(tenant, subscription) -> bool:
    async with tenant.tx() as tx:
        sources = await sources_of(tx, [subscription.account_id])
    return subscription.id in {
        source.subscription_id for source in sources.get(subscription.account_id, ())
    }


def day(month: int, number: int, hour: int = 12, year: int = 2026) -> datetime:
    return datetime(year, month, number, hour, tzinfo=UTC)


async def test_an_end_now_takes_access_and_refunds_nothing(tenant, clock):
    subscription = await subscribed(tenant)
    assert await has_access(tenant, subscription)
    clock.move_to(day(1, 20))
    ended = await cancel(
        tenant, subscription, feedback=CancellationFeedback.UNUSED, comment="We moved on."
    )
    async with tenant.tx() as tx:
        assert await subscription_by_id(tx, subscription.id) == ended
        event = await tx.fetch_row("select * from event where type = 'subscription.canceled'")
        actions = await tx.fetch("select action from audit_entry where subject_id = $1", ended.id)
    assert (ended.state, ended.next_action_at, ended.version) == (
        SubscriptionState.CANCELED,
        None,
        2,
    )
    assert ended.cancellation.requested_at == ended.ended_at == day(1, 20)
    assert (ended.cancellation.reason, ended.cancellation.feedback) == ("requested", "unused")
    assert ended.cancellation.comment == "We moved on."
    assert event["subject_id"] == subscription.id
    assert {row["action"] for row in actions} == {
        "subscription.create",
        "subscription.start",
        "subscription.cancel",
        "subscription.end",
    }
    assert not await has_access(tenant, subscription)
    assert len(await books(tenant)) == 1
    clock.move_to(day(3, 20))
    assert await renew_due_subscriptions(tenant.work()) == 0


async def test_what_ran_in_arrears_is_owed_up_to_the_end(tenant, clock):
    subscription = await subscribed(
        tenant, components=(in_arrears("storage", "31.00"), in_arrears("seats", "9.90"))
    )
    clock.move_to(day(1, 25))
    await cancel(tenant, subscription)
    # 15 January to 15 February are 31 days, of which 10 have passed:
    # 31.00 x 10/31 = 10.00; 9.90 x 10/31 = 3.1935, so 3.19
    assert await books(tenant) == [[(day(1, 15), day(1, 25), 1000), (day(1, 15), day(1, 25), 319)]]


async def test_a_part_is_measured_in_seconds_also_across_a_change_of_clocks(tenant, clock):
    clock.move_to(day(3, 15))
    subscription = await subscribed(tenant, components=(in_arrears("storage", "100.00"),))
    # Clocks go forward on 29 March: noon is 11:00 UTC from then on, and the month has 743 hours.
    clock.move_to(day(4, 1, hour=11))
    ended = await cancel(tenant, subscription)
    assert ended.period.end == day(4, 15, hour=11) - timedelta(hours=0)
    # 13:00 on 15 March to 13:00 on 15 April in Berlin; 16 days and 23 hours = 407 of 743 hours
    assert await books(tenant) == [[(day(3, 15), day(4, 1, hour=11), 5478)]]


async def test_an_end_at_the_very_start_owes_nothing_in_arrears(tenant):
    subscription = await subscribed(tenant, components=(in_arrears("storage", "31.00"),))
    await cancel(tenant, subscription)
    assert await books(tenant) == []


async def test_an_end_at_the_periods_end_keeps_access_until_then(tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(day(1, 20))
    scheduled = await cancel(tenant, subscription, AT_END)
    assert (scheduled.state, scheduled.cancellation.at) == (SubscriptionState.ACTIVE, day(2, 15))
    assert scheduled.cancellation.requested_at == day(1, 20)
    clock.move_to(day(2, 15) - timedelta(microseconds=1))
    assert await renew_due_subscriptions(tenant.work()) == 0
    assert await has_access(tenant, subscription)
    clock.move_to(day(2, 15))
    assert await renew_due_subscriptions(tenant.work()) == 1
    async with tenant.tx() as tx:
        ended = await subscription_by_id(tx, subscription.id)
        types = await tx.fetch("select type from event where subject_id = $1 order by id", ended.id)
    assert (ended.state, ended.ended_at) == (SubscriptionState.CANCELED, day(2, 15))
    assert [row["type"] for row in types] == [
        "subscription.created",
        "subscription.started",
        "subscription.cancellation_scheduled",
        "subscription.canceled",
    ]
    assert not await has_access(tenant, subscription)
    assert len(await books(tenant)) == 1


async def test_a_late_run_ends_at_the_instant_that_was_meant(tenant, clock):
    subscription = await subscribed(tenant, components=(in_arrears("storage", "31.00"),))
    await cancel(tenant, subscription, AT_END)
    clock.move_to(day(9, 1))
    assert await renew_due_subscriptions(tenant.work()) == 1
    async with tenant.tx() as tx:
        assert (await subscription_by_id(tx, subscription.id)).ended_at == day(2, 15)
    assert await books(tenant) == [[(day(1, 15), day(2, 15), 3100)]]


async def test_a_scheduled_end_may_be_brought_forward(tenant, clock):
    subscription = await subscribed(tenant)
    await cancel(tenant, subscription, AT_END)
    clock.move_to(day(1, 20))
    ended = await cancel(tenant, subscription)
    assert (ended.state, ended.ended_at) == (SubscriptionState.CANCELED, day(1, 20))


@pytest.mark.parametrize("mode", [NOW, AT_END])
async def test_before_a_late_end_come_the_periods_that_have_begun(tenant, clock, mode):
    """The books are the same whether the billing run came in time or not at all."""
    subscription = await subscribed(
        tenant, components=(in_arrears("storage", "28.00"),), features=TEAM_FEATURES
    )
    clock.move_to(day(2, 22))
    ended = await cancel(tenant, subscription, mode)
    clock.move_to(day(3, 15))
    await renew_due_subscriptions(tenant.work())
    assert ended.period.start == day(2, 15)
    # The second period has 28 days: 7 of them cost 7.00.
    second = (day(2, 15), day(2, 22), 700) if mode is NOW else (day(2, 15), day(3, 15), 2800)
    assert await books(tenant) == [[(day(1, 15), day(2, 15), 2800)], [second]]


async def test_a_canceled_one_cannot_be_canceled(tenant):
    subscription = await subscribed(tenant)
    ended = await cancel(tenant, subscription)
    for mode in (NOW, AT_END):
        with pytest.raises(Refusal) as refused:
            await cancel(tenant, subscription, mode)
        assert (refused.value.code, refused.value.category) == ("state_forbids", "conflict")
    async with tenant.tx() as tx:
        assert await subscription_by_id(tx, subscription.id) == ended


async def test_a_stale_version_is_refused(tenant):
    subscription = await subscribed(tenant)
    await cancel(tenant, subscription, AT_END, expected_version=1)
    with pytest.raises(Refusal) as refused:
        await cancel(tenant, subscription, expected_version=1)
    assert (refused.value.code, refused.value.facts) == (
        "version_stale",
        {"expected": 1, "actual": 2},
    )
    await cancel(tenant, subscription, expected_version=2)


async def test_an_unknown_or_foreign_one_cannot_be_canceled(tenant, other_tenant):
    subscription = await subscribed(tenant)
    for owner, subscription_id in ((tenant, uuid4()), (other_tenant, subscription.id)):
        with pytest.raises(Refusal) as refused:
            async with owner.tx() as tx:
                await cancel_subscription(
                    tx, CancelSubscription(subscription_id=subscription_id, mode=NOW)
                )
        assert refused.value.code == "subscription_unknown"
    async with tenant.tx() as tx:
        assert await subscription_by_id(tx, subscription.id) == subscription


async def test_the_last_invoice_names_its_subscription(tenant, clock):
    subscription = await subscribed(tenant, components=(in_arrears("storage", "31.00"),))
    clock.move_to(day(1, 25))
    await cancel(tenant, subscription)
    async with tenant.tx() as tx:
        (invoice,) = await list_invoices(tx, before=None, limit=9)
        assert (await invoice_by_id(tx, invoice.id)).reference == subscription.reference
    assert invoice.subtotal_minor == Decimal("10.00") * 100
