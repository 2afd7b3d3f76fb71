"""Does a trial that is ended early, or converted, bring what was to come with its end?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode, SubscriptionState, TrialState
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.change_trial import (
    ConvertTrial,
    EndTrial,
    convert_trial,
    end_trial,
)
from billwright.features.subscriptions.operations.pause_subscription import (
    ResumeSubscription,
    resume_subscription,
)
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, an_account

LATER = NOON + timedelta(days=5)


async def trying(tenant, clock, **changes):
    """Five days into a trial of fourteen."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "business")
        begun = await a_subscription(tx, await an_account(tx), trial_days=14, **changes)
    clock.move_to(LATER)
    return begun.subscription


async def does(tenant, operation, command, subscription, **values):
    async with tenant.tx() as tx:
        return await operation(tx, command(subscription_id=subscription.id, **values))


async def changes_with_its_end(tenant, subscription):
    await does(
        tenant,
        change_plan,
        ChangePlan,
        subscription,
        plan_code="business",
        timing=ChangeTiming(effective=Effective.PERIOD_END),
    )


@pytest.mark.parametrize(
    ("operation", "command"), [(end_trial, EndTrial), (convert_trial, ConvertTrial)]
)
async def test_a_change_that_was_to_come_with_the_end_comes(tenant, clock, operation, command):
    subscription = await trying(tenant, clock)
    await changes_with_its_end(tenant, subscription)
    done = await does(tenant, operation, command, subscription)
    assert (done.version.plan_code, done.subscription.pending_change) == ("business", None)
    assert done.subscription.trial.state is TrialState.CONVERTED
    assert done.subscription.period.start == done.subscription.trial.end == LATER
    assert [one.due_minor for one in done.billed.documents] == [4629]  # 29.00 + 9.90, and 19 %


async def test_a_cancellation_that_was_to_come_with_the_end_comes(tenant, clock):
    subscription = await trying(tenant, clock)
    await does(
        tenant,
        cancel_subscription,
        CancelSubscription,
        subscription,
        mode=CancellationMode.PERIOD_END,
    )
    with pytest.raises(Refusal) as refused:
        await does(tenant, convert_trial, ConvertTrial, subscription)
    assert refused.value.code == "trial_to_be_canceled"
    done = await does(tenant, end_trial, EndTrial, subscription)
    assert (done.subscription.state, done.subscription.ended_at) == (
        SubscriptionState.CANCELED,
        LATER,
    )
    assert (done.subscription.trial.state, done.billed.documents) == (TrialState.CANCELED, ())


@pytest.mark.parametrize("behavior", TrialEndBehavior)
async def test_to_convert_needs_no_payment_method(tenant, clock, behavior):
    subscription = await trying(tenant, clock, trial_end_behavior=behavior)
    done = await does(tenant, convert_trial, ConvertTrial, subscription)
    assert done.subscription.state is SubscriptionState.ACTIVE
    assert len(done.billed.documents) == 1
    with pytest.raises(Refusal) as refused:
        await does(tenant, convert_trial, ConvertTrial, subscription)
    assert refused.value.code == "state_forbids"


async def test_a_trial_that_waits_has_ended_and_is_converted_when_it_goes_on(tenant, clock):
    subscription = await trying(tenant, clock, trial_end_behavior=TrialEndBehavior.PAUSE)
    clock.move_to(NOON + timedelta(days=14))
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        waiting = await subscription_by_id(tx, subscription.id)
    assert (waiting.state, waiting.trial.state) == (SubscriptionState.PAUSED, TrialState.ENDED)
    done = await does(tenant, resume_subscription, ResumeSubscription, subscription)
    assert done.subscription.trial.state is TrialState.CONVERTED


async def test_a_trial_without_a_payment_method_has_ended(tenant, clock):
    subscription = await trying(tenant, clock, trial_end_behavior=TrialEndBehavior.CANCEL)
    done = await does(tenant, end_trial, EndTrial, subscription)
    assert (done.subscription.state, done.subscription.trial.state) == (
        SubscriptionState.CANCELED,
        TrialState.ENDED,
    )
