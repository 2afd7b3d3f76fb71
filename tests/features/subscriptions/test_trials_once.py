"""Does a customer have a trial of a plan once, however it comes?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import PlanTerms
from billwright.features.subscriptions.model import CancellationMode, SubscriptionState, TrialState
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.rules.trial_redemption import email_key
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, an_account

_WORD = st.text(st.sampled_from("abcxyz0189"), min_size=1, max_size=8)


@given(
    name=_WORD,
    suffix=_WORD,
    dotted=_WORD,
    host=st.sampled_from(["riverbank.example", "GMX.example"]),
)
def test_what_makes_no_difference_to_who_reads_it(name, suffix, dotted, host):
    key = email_key(f"{name}@{host}")
    assert email_key(f"  {name.upper()}+{suffix}@{host.swapcase()} ") == key
    assert email_key(key) == key
    assert email_key(f"{dotted}.{name}@{host}") != email_key(f"{dotted}{name}@{host}")
    assert email_key(f"{dotted}.{name}@googlemail.com") == email_key(f"{dotted}{name}@gmail.com")


@pytest.mark.parametrize(
    ("email", "key"), [(None, None), ("", None), ("+x@a.example", "+x@a.example")]
)
def test_an_address_that_says_little(email, key):
    assert email_key(email) == key


async def subscribe(tenant, account, plan_code="team", **changes):
    async with tenant.tx() as tx:
        return (await a_subscription(tx, account, plan_code, **changes)).subscription


async def customer(tenant, email="jo@riverbank.example", **plan):
    async with tenant.tx() as tx:
        await a_plan(tx, **plan)
        return await an_account(tx, email=email)


async def refused(tenant, account, **changes) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await subscribe(tenant, account, **changes)
    return refusal.value


async def test_a_second_trial_is_refused_by_its_date(tenant, clock):
    account = await customer(tenant)
    first = await subscribe(tenant, account, trial_days=14)
    assert (first.trial.state, first.state) == (TrialState.ACTIVE, SubscriptionState.TRIALING)
    clock.move_to(NOON + timedelta(days=40))
    refusal = await refused(tenant, account, trial_days=7)
    assert (refusal.code, refusal.facts["plan_code"]) == ("trial_already_used", "team")
    assert str(refusal.facts["redeemed_on"]) == "2026-01-15"
    # Without a trial, and where somebody allows another one, nothing is in the way.
    assert (await subscribe(tenant, account, trial_days=0)).state is SubscriptionState.ACTIVE
    again = await subscribe(tenant, account, trial_days=7, allows_repeated_trial=True)
    assert again.state is SubscriptionState.TRIALING


async def test_the_same_mail_is_the_same_customer_and_another_tenant_s_is_not(tenant, other_tenant):
    await subscribe(tenant, await customer(tenant), trial_days=14)
    async with tenant.tx() as tx:
        twin = await an_account(tx, email="JO+two@riverbank.example")
        stranger = await an_account(tx, email="jo@meadow.example")
    assert (await refused(tenant, twin, trial_days=14)).code == "trial_already_used"
    await subscribe(tenant, stranger, trial_days=14)
    await subscribe(other_tenant, await customer(other_tenant), trial_days=14)


async def test_the_plan_s_own_trial_is_just_not_given_again(tenant):
    account = await customer(tenant, terms=PlanTerms(trial_days=14))
    assert (await subscribe(tenant, account)).state is SubscriptionState.TRIALING
    second = await subscribe(tenant, account)
    assert (second.state, second.trial.end) == (SubscriptionState.ACTIVE, None)
    assert (await refused(tenant, account, begins_with_trial=True)).code == "trial_already_used"


async def test_a_trial_that_never_began_was_not_had(tenant):
    account = await customer(tenant)
    starts_at = NOON + timedelta(days=10)
    planned = await subscribe(tenant, account, trial_days=14, starts_at=starts_at)
    assert planned.trial.state is TrialState.SCHEDULED
    assert (await refused(tenant, account, trial_days=14)).code == "trial_already_used"
    async with tenant.tx() as tx:
        command = CancelSubscription(subscription_id=planned.id, mode=CancellationMode.NOW)
        canceled = (await cancel_subscription(tx, command)).subscription
    assert canceled.trial.state is TrialState.CANCELED
    await subscribe(tenant, account, trial_days=14)


async def test_a_trial_that_changes_its_plan_is_had_of_both(tenant):
    account = await customer(tenant)
    async with tenant.tx() as tx:
        await a_plan(tx, "business", terms=PlanTerms(trial_days=30))
    first = await subscribe(tenant, account, trial_days=14)
    async with tenant.tx() as tx:
        command = ChangePlan(subscription_id=first.id, plan_code="business")
        changed = (await change_plan(tx, command)).subscription
    # Thirty days from 15 January, where the trial began.
    assert changed.trial.end == NOON + timedelta(days=30)
    assert changed.trial.original_end == NOON + timedelta(days=14)
    refusal = await refused(tenant, account, plan_code="business", trial_days=14)
    assert refusal.code == "trial_already_used"


async def test_of_two_at_once_one_gets_it(tenant):
    await customer(tenant)
    async with tenant.tx() as tx:
        twins = [await an_account(tx, email="two@riverbank.example") for _ in range(2)]
    outcomes = await asyncio.gather(
        *(subscribe(tenant, one, trial_days=14) for one in twins), return_exceptions=True
    )
    assert sorted(getattr(one, "code", "begun") for one in outcomes) == [
        "begun",
        "trial_already_used",
    ]


@pytest.mark.parametrize("days", [0, -1, 731])
async def test_an_end_that_no_trial_has(tenant, days):
    account = await customer(tenant)
    refusal = await refused(tenant, account, trial_until=NOON + timedelta(days=days))
    assert refusal.code == "trial_until_invalid"


async def test_a_trial_must_have_a_length(tenant):
    account = await customer(tenant)
    assert (await refused(tenant, account, begins_with_trial=True)).code == "trial_length_missing"
