"""Is a trial of a plan had once with a card, whoever leaves it, and is nobody harmed who is honest?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from billwright.features.accounts.model import Account
from billwright.features.catalog.model import PlanTerms
from billwright.features.payment_methods.operations.refresh_method import refresh_method
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.subscriptions.model import (
    CancellationMode,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.note_fingerprint import END_REPEATED_TRIAL
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.subscriptions.sql.reads_fingerprints import (
    is_had_with_method,
    redeeming_subscriptions,
    repeated_trials,
)
from billwright.features.tenancy.model import RepeatedTrials
from billwright.features.tenancy.operations.update_seller import update_seller
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.registry import Registry
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, NOON, Tenant
from tests.features.billing import a_plan, a_subscription
from tests.features.payment_methods.methods import PROVIDER, a_card, a_customer, leave
from tests.features.payments.paying import events_of

HAD = "trial_used_with_payment_method"
ROTATED = SecretBox(bytes(range(1, 33)), [bytes(range(32))])


@pytest.fixture(autouse=True)
async def _plan(tenant: Tenant) -> None:
    async with tenant.tx() as tx:
        await a_plan(tx)


async def tries(
    tenant: Tenant, account: Account, plan_code: str = "team", **changes: Any
) -> Subscription:
    async with tenant.tx() as tx:
        begun = await a_subscription(tx, account, plan_code, **{"trial_days": 14, **changes})
    return begun.subscription


async def refused(tenant: Tenant, account: Account, **changes: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        await tries(tenant, account, **changes)
    return refusal.value.code


async def customers(tenant: Tenant, count: int = 2) -> Sequence[Account]:
    """Accounts that have nothing in common."""
    return [await a_customer(tenant, email=f"a{n}@riverbank.example") for n in range(count)]


async def told(tenant: Tenant) -> list[dict[str, Any]]:
    events = await events_of(tenant, "subscription.trial_repeated")
    return [{**json.loads(event["data"]), "subject_id": event["subject_id"]} for event in events]


async def waiting(tenant: Tenant) -> list[str]:
    """Which trials a job is to end."""
    rows = await tenant.database.unscoped(
        "select convert_from(payload, 'utf8') as payload from queue.pgqueuer where entrypoint = $1",
        END_REPEATED_TRIAL,
    )
    return [str(row["payload"]) for row in rows]


async def wants_ends(tenant: Tenant) -> None:
    async with tenant.tx() as tx:
        seller = await the_seller(tx)
        await update_seller(tx, replace(seller, repeated_trials=RepeatedTrials.END))


async def state_now(tenant: Tenant, subscription_id: UUID) -> SubscriptionState:
    async with tenant.tx() as tx:
        return (await subscription_by_id(tx, subscription_id)).state


@pytest.mark.parametrize("left", ["before", "while it ran", "afterwards"])
async def test_who_pays_with_the_same_card_has_had_it(tenant: Tenant, clock: FixedClock, left: str):
    first, second = await customers(tenant)
    if left == "before":
        await leave(tenant, first.id)
    await tries(tenant, first)
    if left == "afterwards":
        clock.move_to(NOON + timedelta(days=90))
    if left != "before":
        await leave(tenant, first.id)
    method_id = await leave(tenant, second.id, a_card("pm_other_name"))
    assert await refused(tenant, second) == HAD
    # Neither of them gets another one by removing the card.
    async with tenant.tx() as tx:
        await remove_method(tx, method_id)
    assert await refused(tenant, second) == HAD
    assert (await tries(tenant, second, trial_days=0)).state is SubscriptionState.ACTIVE
    assert await told(tenant) == []


async def test_a_card_that_was_removed_before_still_counts(tenant: Tenant):
    first, second = await customers(tenant)
    method_id = await leave(tenant, first.id)
    await tries(tenant, first)
    async with tenant.tx() as tx:
        await remove_method(tx, method_id)
    await leave(tenant, second.id)
    assert await refused(tenant, second) == HAD


async def test_another_card_another_plan_and_another_tenant_are_others(
    tenant: Tenant, other_tenant: Tenant
):
    async with tenant.tx() as tx:
        await a_plan(tx, "business")
    async with other_tenant.tx() as tx:
        await a_plan(tx)
    first, second, third = await customers(tenant, 3)
    await leave(tenant, first.id)
    await tries(tenant, first)
    await leave(tenant, second.id, a_card("pm_second", fingerprint="fp_4444"))
    await tries(tenant, second)
    await leave(tenant, third.id)
    await tries(tenant, third, "business")
    # What a provider says nothing about is nobody else's.
    fourth, fifth = [await a_customer(tenant) for _ in range(2)]
    for account in (fourth, fifth):
        await leave(tenant, account.id, a_card(f"pm_{account.id}", fingerprint=None))
        await tries(tenant, account)
    (stranger,) = await customers(other_tenant, 1)
    await leave(other_tenant, stranger.id)
    await tries(other_tenant, stranger)
    async with other_tenant.tx() as tx:
        assert await redeeming_subscriptions(tx, first.id) == []
        assert not await is_had_with_method(tx, third.id, plan_code="team")
    async with tenant.tx() as tx:
        assert await is_had_with_method(tx, third.id, plan_code="team")
    assert await told(tenant) == await told(other_tenant) == []


async def test_the_plan_s_own_trial_is_just_not_given(tenant: Tenant):
    async with tenant.tx() as tx:
        await a_plan(tx, "tried", terms=PlanTerms(trial_days=14))
    first, second = await customers(tenant)
    for account in (first, second):
        await leave(tenant, account.id)
    assert (await tries(tenant, first, "tried", trial_days=None)).trial.end is not None
    paid = await tries(tenant, second, "tried", trial_days=None)
    assert (paid.state, paid.trial.end) == (SubscriptionState.ACTIVE, None)
    # It was not had: of a card that is nobody else's there is nothing to tell.
    async with tenant.tx() as tx:
        assert await redeeming_subscriptions(tx, second.id) == []
        assert not await repeated_trials(tx, second.id, fingerprint_digest=b"")


@pytest.mark.parametrize("count", [2, 5])
async def test_of_those_who_ask_at_once_one_gets_it(tenant: Tenant, count: int):
    twins = await customers(tenant, count)
    for twin in twins:
        await leave(tenant, twin.id)
    outcomes = await asyncio.gather(
        *(tries(tenant, twin) for twin in twins), return_exceptions=True
    )
    codes = sorted(getattr(one, "code", "begun") for one in outcomes)
    assert codes == ["begun", *[HAD] * (count - 1)]


async def test_a_card_that_is_left_while_another_one_s_trial_begins(tenant: Tenant):
    """Whichever comes first, one of the two is found out."""
    first, second = await customers(tenant)
    await leave(tenant, first.id)
    await tries(tenant, second)
    await asyncio.gather(tries(tenant, first), leave(tenant, second.id), return_exceptions=True)
    async with tenant.tx() as tx:
        had = [await redeeming_subscriptions(tx, account.id) for account in (first, second)]
    assert len(had[1]) == 1
    assert len(had[0]) == len(await told(tenant))


async def test_who_leaves_it_while_a_trial_runs_keeps_the_trial_and_is_told_of_once(
    tenant: Tenant,
):
    first, second = await customers(tenant)
    await leave(tenant, first.id)
    await tries(tenant, first)
    trial = await tries(tenant, second)
    for consent in ("page 1", "page 2"):
        await leave(tenant, second.id, consent=consent)
    (event,) = await told(tenant)
    assert event == {
        "subject_id": trial.id,
        "number": trial.number,
        "plan_code": "team",
        "trial_end": "2026-01-29T12:00:00Z",
        "former_account_id": str(first.id),
        "former_trial_at": "2026-01-15T12:00:00Z",
        "is_ended": False,
    }
    assert await waiting(tenant) == []
    assert await state_now(tenant, trial.id) is SubscriptionState.TRIALING


async def test_a_seller_may_want_it_to_end(tenant: Tenant, registry: Registry):
    await wants_ends(tenant)
    first, second, third = await customers(tenant, 3)
    await leave(tenant, first.id)
    await tries(tenant, first)
    trial = await tries(tenant, second)
    planned = await tries(tenant, third, starts_at=NOON + timedelta(days=3))
    for account in (second, third):
        await leave(tenant, account.id)
    ended = [(event["subject_id"], event["is_ended"]) for event in await told(tenant)]
    assert ended == [(trial.id, True), (planned.id, False)]
    (payload,) = await waiting(tenant)
    assert str(trial.id) in payload
    # The method is kept in a commit of its own; the trial ends after it, once.
    assert await state_now(tenant, trial.id) is SubscriptionState.TRIALING
    (job,) = [one for one in registry.jobs if one.name == END_REPEATED_TRIAL]
    for _ in range(2):
        await job.run(tenant.work(job.name), {"subscription_id": str(trial.id)})
    assert await state_now(tenant, trial.id) is SubscriptionState.ACTIVE
    assert len(await events_of(tenant, "invoice.finalized")) == 1


@pytest.mark.parametrize("had", ["by mail", "with the card"])
async def test_what_a_person_has_allowed_is_neither_refused_nor_told(tenant: Tenant, had: str):
    await wants_ends(tenant)
    first = await a_customer(tenant, email="jo@riverbank.example")
    mail = "jo+2@riverbank.example" if had == "by mail" else "other@riverbank.example"
    second = await a_customer(tenant, email=mail)
    await leave(tenant, first.id)
    await tries(tenant, first)
    if had == "with the card":
        await leave(tenant, second.id)
    trial = await tries(tenant, second, allows_repeated_trial=True)
    await leave(tenant, second.id, consent="page 2")
    await leave(tenant, second.id, a_card("pm_next", fingerprint="fp_4444"))
    assert (trial.state, await told(tenant)) == (SubscriptionState.TRIALING, [])
    # It was had with the other card as well, which is asked for the next time.
    third = await a_customer(tenant)
    await leave(tenant, third.id, a_card("pm_third", fingerprint="fp_4444"))
    assert await refused(tenant, third) == HAD


async def test_a_trial_that_never_began_was_not_had_with_the_card(tenant: Tenant):
    first, second = await customers(tenant)
    for account in (first, second):
        await leave(tenant, account.id)
    planned = await tries(tenant, first, starts_at=NOON + timedelta(days=10))
    assert await refused(tenant, second) == HAD
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx, CancelSubscription(subscription_id=planned.id, mode=CancellationMode.NOW)
        )
    await tries(tenant, second)


async def test_a_trial_that_changes_its_plan_is_had_of_both_with_the_card(tenant: Tenant):
    async with tenant.tx() as tx:
        await a_plan(tx, "business", terms=PlanTerms(trial_days=30))
    first, second = await customers(tenant)
    for account in (first, second):
        await leave(tenant, account.id)
    trial = await tries(tenant, first)
    async with tenant.tx() as tx:
        await change_plan(tx, ChangePlan(subscription_id=trial.id, plan_code="business"))
    assert await refused(tenant, second, plan_code="business") == HAD


async def test_a_card_that_its_bank_has_replaced_counts_as_both(tenant: Tenant):
    first, second = await customers(tenant)
    await leave(tenant, first.id)
    await tries(tenant, first)
    async with tenant.tx() as tx:
        replaced = a_card(fingerprint="fp_new", label="Visa •••• 1881")
        assert await refresh_method(tx, provider=PROVIDER, method=replaced, box=BOX)
    await leave(tenant, second.id, a_card("pm_second", fingerprint="fp_new"))
    assert await refused(tenant, second) == HAD


async def test_a_changed_key_knows_what_was_had_under_the_old_one(tenant: Tenant):
    first, second, third = await customers(tenant, 3)
    await leave(tenant, first.id)
    await tries(tenant, first)
    await leave(tenant, second.id, a_card("pm_second"), box=ROTATED)
    assert await refused(tenant, second) == HAD
    # Seen once under the new key, it is known without the old one.
    current = SecretBox(bytes(range(1, 33)))
    await leave(tenant, third.id, a_card("pm_third"), box=current)
    assert await refused(tenant, third) == HAD
