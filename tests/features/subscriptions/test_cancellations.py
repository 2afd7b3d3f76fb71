"""Is every end of a subscription kept, with who asked for it and what came of it?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import (
    Activation,
    CancellationFeedback,
    CancellationMode,
    CancellationReason,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_trial import ExtendTrial, extend_trial
from billwright.features.subscriptions.operations.report_cancellations import report_cancellations
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.features.subscriptions.operations.undo import (
    UndoCancellation,
    UndoRequestedCancellation,
    undo_cancellation,
    undo_requested_cancellation,
)
from billwright.features.subscriptions.sql.reads_cancellations import (
    CancellationFilter,
    cancellation_by_id,
    list_cancellations,
)
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, an_account

NOW, AT_END, AT = CancellationMode.NOW, CancellationMode.PERIOD_END, CancellationMode.AT
END = datetime(2026, 2, 15, 12, tzinfo=UTC)


async def subscribed(tenant, **changes):
    async with tenant.tx() as tx:
        await a_plan(tx)
        return (await a_subscription(tx, await an_account(tx), **changes)).subscription


async def cancel(tenant, subscription, mode, **changes):
    async with tenant.tx() as tx:
        command = CancelSubscription(subscription_id=subscription.id, mode=mode, **changes)
        return (await cancel_subscription(tx, command)).subscription


async def kept(tenant, **wanted):
    """Oldest first."""
    async with tenant.tx() as tx:
        found = await list_cancellations(tx, CancellationFilter(**wanted), after=None, limit=99)
    return found[::-1]


def told(found):
    return [(one.state, one.mode, one.reason) for one in found]


async def test_one_that_is_asked_for_comes_true(tenant, clock):
    subscription = await subscribed(tenant)
    await cancel(
        tenant, subscription, AT_END, feedback=CancellationFeedback.UNUSED, comment="Too quiet."
    )
    [pending] = await kept(tenant)
    assert told([pending]) == [("pending", "period_end", "requested")]
    assert (pending.cancel_at, pending.requested_at, pending.effective_at) == (END, NOON, None)
    assert (pending.plan_code, pending.feedback, pending.comment) == (
        "team",
        "unused",
        "Too quiet.",
    )
    assert pending.actor is not None
    clock.move_to(END + timedelta(days=1))
    await renew_due_subscriptions(tenant.work())
    [effective] = await kept(tenant)
    assert (effective.id, effective.state, effective.effective_at) == (pending.id, "effective", END)
    assert effective.actor == pending.actor  # who asked for it, not the job that did it


async def test_undone_and_asked_for_again(tenant):
    subscription = await subscribed(tenant)
    await cancel(tenant, subscription, AT_END)
    async with tenant.tx() as tx:
        await undo_cancellation(tx, UndoCancellation(subscription_id=subscription.id))
    await cancel(tenant, subscription, NOW, reason=CancellationReason.ADMIN)
    first, second = await kept(tenant)
    assert told([first, second]) == [
        ("undone", "period_end", "requested"),
        ("effective", "now", "admin"),
    ]
    assert (first.undone_at, second.effective_at) == (NOON, NOON)


async def test_another_one_takes_the_place_of_a_pending_one_also_at_the_same_instant(tenant):
    subscription = await subscribed(tenant)
    await cancel(tenant, subscription, AT_END)
    await cancel(tenant, subscription, AT, cancel_at=NOON + timedelta(days=3))
    found = await kept(tenant, subscription_id=subscription.id)
    assert sorted(told(found)) == [
        ("pending", "at", "requested"),
        ("undone", "period_end", "requested"),
    ]
    [replaced] = [one for one in found if one.state == "undone"]
    async with tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await undo_requested_cancellation(
                tx, UndoRequestedCancellation(cancellation_id=replaced.id)
            )
    assert refused.value.code == "nothing_pending"


async def test_it_moves_with_the_end_of_its_trial(tenant):
    subscription = await subscribed(tenant, trial_days=14)
    await cancel(tenant, subscription, AT_END)
    end = NOON + timedelta(days=20)
    async with tenant.tx() as tx:
        await extend_trial(tx, ExtendTrial(subscription_id=subscription.id, trial_end=end))
    [moved] = await kept(tenant)
    assert (moved.state, moved.cancel_at) == ("pending", end)


async def test_ends_that_come_by_themselves(tenant, clock):
    trial = await subscribed(tenant, trial_days=14, trial_end_behavior=TrialEndBehavior.CANCEL)
    async with tenant.tx() as tx:
        account = await an_account(tx)
        lapsing = (await a_subscription(tx, account)).subscription
        unpaid = (
            await a_subscription(tx, account, activation=Activation.ON_FIRST_PAYMENT)
        ).subscription
        await set_renewal(tx, SetRenewal(subscription_id=lapsing.id, renews=False))
    clock.move_to(END + timedelta(days=1))
    await renew_due_subscriptions(tenant.work())
    await renew_due_subscriptions(tenant.work())
    found = {one.subscription_id: one for one in await kept(tenant)}
    assert {key: one.reason for key, one in found.items()} == {
        trial.id: "trial_ended",
        lapsing.id: "not_renewed",
        unpaid.id: "timeout",
    }
    assert {(one.state, one.mode) for one in found.values()} == {("effective", None)}


async def test_another_tenant_s_is_invisible(tenant, other_tenant):
    await cancel(tenant, await subscribed(tenant), NOW)
    [own] = await kept(tenant)
    assert await kept(other_tenant) == []
    async with other_tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await cancellation_by_id(tx, own.id)
    assert refused.value.code == "cancellation_unknown"


async def test_the_report_counts_by_month_of_the_seller_s_zone(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        three = [(await a_subscription(tx, account)).subscription for _ in range(3)]
    unused = CancellationFeedback.UNUSED
    # Half past eleven at night in UTC is February in Berlin.
    clock.move_to(datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    await cancel(tenant, three[0], NOW, feedback=unused)
    await cancel(tenant, three[1], AT_END, feedback=unused)
    await cancel(tenant, three[2], AT_END)
    async with tenant.tx() as tx:
        await undo_cancellation(tx, UndoCancellation(subscription_id=three[2].id))
        counts = await report_cancellations(tx, since=date(2026, 2, 1), until=date(2026, 3, 1))
        before = await report_cancellations(tx, since=date(2026, 1, 1), until=date(2026, 2, 1))
    assert before == []
    assert [
        (
            one.month,
            one.plan_code,
            one.feedback,
            one.requested,
            one.pending,
            one.effective,
            one.undone,
        )
        for one in counts
    ] == [
        (date(2026, 2, 1), "team", "unused", 2, 1, 1, 0),
        (date(2026, 2, 1), "team", None, 1, 0, 0, 1),
    ]


@pytest.mark.parametrize(
    ("since", "until", "is_refused"),
    [
        ("2026-01-01", "2028-01-01", False),
        ("2026-01-01", "2028-01-02", True),
        ("2024-02-29", "2026-03-01", False),
        ("2024-02-29", "2026-03-02", True),
        ("2026-01-01", "2026-01-01", True),
        ("2026-01-02", "2026-01-01", True),
    ],
)
async def test_a_report_covers_up_to_24_months(tenant, since, until, is_refused):
    first, last = date.fromisoformat(since), date.fromisoformat(until)
    async with tenant.tx() as tx:
        if not is_refused:
            assert await report_cancellations(tx, since=first, until=last) == []
            return
        with pytest.raises(Refusal) as refused:
            await report_cancellations(tx, since=first, until=last)
    assert refused.value.code == "report_period_invalid"
