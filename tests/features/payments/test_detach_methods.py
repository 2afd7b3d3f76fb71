"""Can nobody charge a card any more that was removed here, and does it stay where somebody needs it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.payment_methods.model import MethodStatus
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.sql.reads import method_by_id
from billwright.features.payment_providers.port import (
    Capability,
    OutcomeUnknown,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.jobs import detach_methods
from billwright.features.payments.operations.close_account import CloseAccount, close_account
from billwright.features.payments.sql.reads_reviews import list_review_tasks
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, NOON, Tenant
from tests.features.payment_methods.methods import a_card, a_customer, leave, method_now
from tests.features.payments.paying import (
    SUCCEEDED,
    ScriptedProvider,
    an_invoice,
    collect,
    pay,
    reserve,
    work_with,
)
from tests.providers.conformance.rigs import rigged
from tests.providers.fake_stripe_server import Fault


class Keeping(ScriptedProvider):
    """Forgets what it is asked to, by a script of failures."""

    name = "sandbox"  # which the methods of these tests are left with
    capabilities = frozenset({Capability.COLLECT, Capability.SETUP})

    def __init__(self, *failures: Exception) -> None:
        super().__init__(SUCCEEDED)
        self.failures = list(failures)
        self.detached: list[str] = []

    async def detach(self, reference: str) -> None:
        self.detached.append(reference)
        if self.failures:
            raise self.failures.pop(0)


async def removed(tenant: Tenant, account_id: UUID, reference: str = "pm_visa") -> UUID:
    method_id = await leave(tenant, account_id, a_card(reference))
    async with tenant.tx() as tx:
        await remove_method(tx, method_id)
    return method_id


async def sweep(tenant: Tenant, provider: ScriptedProvider) -> int:
    return await detach_methods(work_with(tenant, provider.providers))


async def outcomes_of(tenant: Tenant) -> list[Any]:
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select details ->> 'outcome' as outcome from audit_entry
               where action = 'payment_method.detach' order by id"""
        )
        return [row["outcome"] for row in rows]


async def tasks_of(tenant: Tenant) -> list[Any]:
    async with tenant.tx() as tx:
        return await list_review_tasks(tx, before=None, limit=9)


async def test_what_is_removed_is_detached_once_after_the_commit(tenant, other_tenant):
    account = await a_customer(tenant)
    provider = Keeping()
    await leave(tenant, account.id, a_card("pm_kept"))
    method_id = await removed(tenant, account.id)
    assert provider.detached == []
    assert await sweep(other_tenant, provider) == 0
    assert [await sweep(tenant, provider) for _ in range(2)] == [1, 0]
    assert provider.detached == ["pm_visa"]
    assert (await method_now(tenant, method_id)).detach_at is None
    assert await outcomes_of(tenant) == ["detached"]


async def test_a_call_without_an_answer_is_made_again_and_again(tenant, clock):
    provider = Keeping(OutcomeUnknown("lost"), ProviderUnavailable("away"), TimeoutError())
    await removed(tenant, (await a_customer(tenant)).id)
    for minutes, looked_at in ((0, 1), (1, 0), (5, 1), (60, 1), (360, 1), (361, 0)):
        clock.move_to(NOON + timedelta(minutes=minutes))
        assert await sweep(tenant, provider) == looked_at
    assert provider.detached == ["pm_visa"] * 4
    assert (await outcomes_of(tenant), await tasks_of(tenant)) == (["detached"], [])


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(OutcomeUnknown("lost"), "unknown"), (ProviderUnavailable("no right to"), "unavailable")],
)
async def test_what_has_failed_for_a_week_is_a_persons(tenant, clock, failure, reason):
    provider = Keeping(*[failure] * 99)
    method_id = await removed(tenant, (await a_customer(tenant)).id)
    for day in range(9):
        clock.move_to(NOON + timedelta(days=day))
        await sweep(tenant, provider)
    assert len(provider.detached) == 8  # at once, and on each of seven days
    [task] = await tasks_of(tenant)
    assert (task.kind, task.subject_id, task.details) == (
        "method_not_detached",
        method_id,
        {"provider": "sandbox", "label": "Visa •••• 4242", "reason": reason},
    )
    assert await outcomes_of(tenant) == ["given_up"]


@pytest.mark.parametrize("box", [BOX, SecretBox(bytes(range(1, 33)), [bytes(range(32))])])
async def test_what_another_account_has_as_well_stays_until_it_is_removed_there(tenant, box):
    first, second = [await a_customer(tenant, name=name) for name in ("North", "South")]
    provider = Keeping()
    # Sealed under one key, and under the next one.
    kept = await leave(tenant, second.id, box=box)
    await removed(tenant, first.id)
    work = work_with(tenant, provider.providers)
    work = replace(work, providers={**work.providers, SecretBox: box})
    assert await detach_methods(work) == 1
    assert (provider.detached, await outcomes_of(tenant)) == ([], ["shared"])
    async with tenant.tx() as tx:
        await remove_method(tx, kept)
    await detach_methods(work)
    assert provider.detached == ["pm_visa"]


async def test_another_tenants_method_of_the_same_name_does_not_count(tenant, other_tenant):
    provider = Keeping()
    await leave(other_tenant, (await a_customer(other_tenant)).id)
    await removed(tenant, (await a_customer(tenant)).id)
    await sweep(tenant, provider)
    assert provider.detached == ["pm_visa"]


async def test_a_payment_that_has_begun_is_made_first(tenant, clock):
    provider = Keeping()
    invoice = await an_invoice(tenant)
    method_id = await leave(tenant, invoice.account_id)
    attempt = await reserve(
        tenant,
        pay(invoice, provider="sandbox", payment_method_id=method_id),
        provider.providers,
    )
    async with tenant.tx() as tx:
        await remove_method(tx, method_id)
    assert await sweep(tenant, provider) == 1
    assert provider.detached == []
    await collect(tenant, attempt, provider.providers)
    clock.move_to(NOON + timedelta(minutes=5))
    await sweep(tenant, provider)
    assert provider.detached == ["pm_visa"]


async def test_what_is_left_again_stays(tenant):
    provider = Keeping()
    account = await a_customer(tenant)
    method_id = await removed(tenant, account.id)
    assert await leave(tenant, account.id, consent="page 2") == method_id
    assert await sweep(tenant, provider) == 0
    assert (await method_now(tenant, method_id)).removed_at is None


async def test_a_closed_account_has_no_method_and_gets_none(tenant):
    provider = Keeping()
    account = await a_customer(tenant)
    for reference in ("pm_visa", "pm_second"):
        await leave(tenant, account.id, a_card(reference))
    async with tenant.tx() as tx:
        closed = await close_account(tx, CloseAccount(account_id=account.id))
        assert await account_by_id(tx, account.id) == closed
    assert not closed.has_payment_method
    # The page was open when the account was closed.
    late = await leave(tenant, account.id, a_card("pm_late"), consent="page 3")
    async with tenant.tx() as tx:
        assert (await method_by_id(tx, late)).status is MethodStatus.REMOVED
    await sweep(tenant, provider)
    assert sorted(provider.detached) == ["pm_late", "pm_second", "pm_visa"]


async def test_a_provider_that_keeps_no_methods_is_not_asked_and_one_that_is_gone_is_a_task(
    tenant, clock
):
    class Forgetful(Keeping):
        capabilities = frozenset({Capability.COLLECT})

    account = await a_customer(tenant)
    await removed(tenant, account.id)
    await sweep(tenant, Forgetful())
    assert await outcomes_of(tenant) == ["not_offered"]
    await removed(tenant, account.id, "pm_second")
    clock.move_to(NOON + timedelta(days=8))
    await detach_methods(work_with(tenant))
    assert [task.details["reason"] for task in await tasks_of(tenant)] == ["provider_gone"]


async def test_stripe_is_asked_until_the_card_is_gone(tenant, clock):
    account = await a_customer(tenant)
    async with rigged("stripe") as rig:
        work = work_with(tenant, PaymentProviders({"sandbox": rig.provider}))
        await removed(tenant, account.id)
        rig.server.faults = [Fault.RESET_AFTER]
        await detach_methods(work)
        assert (rig.server.stripe.detached, await outcomes_of(tenant)) == ({"pm_visa"}, [])
        clock.move_to(NOON + timedelta(minutes=5))
        await detach_methods(work_with(tenant, work.provider(PaymentProviders)))
        assert await outcomes_of(tenant) == ["detached"]
        # Of what somebody has detached there, it says that it cannot be.
        rig.server.stripe.detached.add("pm_other")
        await removed(tenant, account.id, "pm_other")
        await detach_methods(work_with(tenant, work.provider(PaymentProviders)))
        assert await outcomes_of(tenant) == ["detached", "detached"]
