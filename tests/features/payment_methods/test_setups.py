"""Does a page on which a payer leaves a method come to one end, whatever gets lost on the way?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from billwright.features.payment_methods.jobs import resolve_left_setups
from billwright.features.payment_methods.model import MethodSetup, SetupState
from billwright.features.payment_methods.operations.record_setup import record_setup
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.operations.start_setup import (
    SetupPage,
    StartSetup,
    open_setup_page,
    start_setup,
)
from billwright.features.payment_methods.sql.reads_setups import setup_by_id
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
    SetupRequest,
)
from billwright.kernel.refusal import Refusal
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import FixedClock
from tests.conftest import BOX, Tenant
from tests.features.payment_methods.methods import (
    a_card,
    a_customer,
    default_now,
    leave,
    method_now,
)
from tests.features.payments.paying import MANUAL, events_of, work_with

EXPIRED = ProviderAnswer(AttemptState.DECLINED, failure_code="checkout_expired")


class Remembering(SandboxProvider):
    """A sandbox that keeps what it was asked, and may lose an answer."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock.now, callback_secrets=["whsec_test"])
        self.asked: list[SetupRequest] = []
        self.loses: Exception | None = None

    async def open_setup(self, request: SetupRequest) -> Any:
        self.asked.append(request)
        page = await super().open_setup(request)
        if self.loses is not None:
            lost, self.loses = self.loses, None
            raise lost
        return page


@pytest.fixture
def sandbox(clock: FixedClock) -> Remembering:
    return Remembering(clock)


def providers_of(sandbox: SandboxProvider) -> PaymentProviders:
    return PaymentProviders({**MANUAL, "sandbox": sandbox})


def setup_of(account_id: UUID, **changes: Any) -> StartSetup:
    values = {
        "account_id": account_id,
        "success_url": "https://app.example/saved",
        "cancel_url": "http://localhost:3000/billing",
    }
    return StartSetup(**{**values, **changes})


async def open_page(
    tenant: Tenant, command: StartSetup, sandbox: SandboxProvider, again: UUID | None = None
) -> SetupPage:
    providers = providers_of(sandbox)
    if again is None:
        async with tenant.tx() as tx:
            again = await start_setup(tx, command, providers=providers)
    return await open_setup_page(tenant.tx, again, command=command, providers=providers, box=BOX)


async def completed(sandbox: SandboxProvider, setup: MethodSetup) -> ProviderAnswer:
    """What the provider says once the payer has left a card."""
    assert setup.provider_reference is not None
    sandbox.complete(setup.provider_reference)
    answer = await sandbox.look_up(setup.provider_reference)
    assert answer is not None
    return answer


async def record(tenant: Tenant, setup_id: UUID, answer: ProviderAnswer) -> MethodSetup:
    async with tenant.tx() as tx:
        return await record_setup(tx, setup_id=setup_id, answer=answer, box=BOX)


async def setup_now(tenant: Tenant, setup_id: UUID) -> MethodSetup:
    async with tenant.tx() as tx:
        return await setup_by_id(tx, setup_id)


async def test_a_payer_leaves_a_method(tenant: Tenant, sandbox: Remembering):
    account = await a_customer(tenant)
    page = await open_page(tenant, setup_of(account.id), sandbox)
    setup = page.setup
    assert setup.state is SetupState.OPEN
    assert page.url is not None
    assert page.url not in repr(setup)
    assert sandbox.asked[0].provider_key == f"setup:{setup.id}"
    assert (sandbox.asked[0].currency.code, sandbox.asked[0].tenant_id) == ("EUR", tenant.id)

    ended = await record(tenant, setup.id, await completed(sandbox, setup))
    assert ended.state is SetupState.COMPLETED
    assert ended.page_url_sealed is None
    assert await default_now(tenant, account.id) == ended.payment_method_id
    assert ended.payment_method_id is not None
    method = await method_now(tenant, ended.payment_method_id)
    assert (method.label, str(setup.id) in method.consent) == ("Visa •••• 4242", True)


async def test_an_account_comes_back_as_the_payer_whom_the_provider_knows(
    tenant: Tenant, sandbox: Remembering
):
    account = await a_customer(tenant)
    await leave(tenant, account.id)
    await open_page(tenant, setup_of(account.id, currency="USD"), sandbox)
    (request,) = sandbox.asked
    assert (request.payer.reference, request.currency.code) == ("cus_riverbank", "USD")


@pytest.mark.parametrize("lost", [OutcomeUnknown(), ProviderUnavailable(), TimeoutError()])
async def test_a_page_whose_address_was_lost_is_asked_for_under_the_same_key(
    tenant: Tenant, sandbox: Remembering, lost: Exception
):
    account = await a_customer(tenant)
    command = setup_of(account.id)
    async with tenant.tx() as tx:
        setup_id = await start_setup(tx, command, providers=providers_of(sandbox))
    sandbox.loses = lost
    with pytest.raises(Refusal, match="gives no answer"):
        await open_page(tenant, command, sandbox, again=setup_id)
    assert (await setup_now(tenant, setup_id)).state is SetupState.CREATED
    page = await open_page(tenant, command, sandbox, again=setup_id)
    again = await open_page(tenant, command, sandbox, again=setup_id)
    assert page.url == again.url is not None
    assert [request.provider_key for request in sandbox.asked] == [f"setup:{setup_id}"] * 2


async def test_answers_in_any_order_and_number_come_to_one_end(
    tenant: Tenant, sandbox: Remembering
):
    account = await a_customer(tenant)
    setup = (await open_page(tenant, setup_of(account.id), sandbox)).setup
    saved = ProviderAnswer(AttemptState.SUCCEEDED, "ref", saved_method=a_card())
    waiting = ProviderAnswer(AttemptState.REQUIRES_ACTION, "ref", action_url="https://x.example")
    without_method = ProviderAnswer(AttemptState.SUCCEEDED, "ref")
    for answer in (waiting, without_method, EXPIRED, EXPIRED, waiting, saved, EXPIRED, saved):
        ended = await record(tenant, setup.id, answer)
    assert ended.state is SetupState.COMPLETED
    assert len(await events_of(tenant, "payment_method.added")) == 1
    assert ended.payment_method_id is not None
    async with tenant.tx() as tx:
        await remove_method(tx, ended.payment_method_id)
    await record(tenant, setup.id, saved)
    assert await default_now(tenant, account.id) is None


async def test_a_page_of_which_nothing_was_heard_is_asked_for(
    tenant: Tenant, sandbox: Remembering, clock: FixedClock
):
    accounts = [await a_customer(tenant, name=name) for name in ("North", "South")]
    left, abandoned = [
        (await open_page(tenant, setup_of(account.id), sandbox)).setup for account in accounts
    ]
    await completed(sandbox, left)
    work = work_with(tenant, providers_of(sandbox))
    assert await resolve_left_setups(work) == 0  # the pages are still open
    clock.move_to(clock.now() + timedelta(hours=24))
    later = replace(work, as_of=clock.now())
    assert await resolve_left_setups(later) == 2
    assert await resolve_left_setups(later) == 0
    assert (await setup_now(tenant, left.id)).state is SetupState.COMPLETED
    assert (await setup_now(tenant, abandoned.id)).state is SetupState.EXPIRED
    page = await open_page(tenant, setup_of(accounts[1].id), sandbox, again=abandoned.id)
    assert page.url is None


async def test_a_provider_that_cannot_be_asked_is_asked_for_a_week(
    tenant: Tenant, sandbox: Remembering, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    account = await a_customer(tenant)
    setup = (await open_page(tenant, setup_of(account.id), sandbox)).setup

    async def silent(_reference: str) -> ProviderAnswer:
        raise ProviderUnavailable

    monkeypatch.setattr(sandbox, "look_up", silent)
    for days, state in ((1, SetupState.OPEN), (6, SetupState.OPEN), (1, SetupState.EXPIRED)):
        clock.move_to(clock.now() + timedelta(days=days))
        work = replace(work_with(tenant, providers_of(sandbox)), as_of=clock.now())
        await resolve_left_setups(work)
        assert (await setup_now(tenant, setup.id)).state is state


async def test_another_tenant_has_nothing_of_it(
    tenant: Tenant, other_tenant: Tenant, sandbox: Remembering
):
    account = await a_customer(tenant)
    setup = (await open_page(tenant, setup_of(account.id), sandbox)).setup
    with pytest.raises(Refusal, match="There is no setup"):
        await record(other_tenant, setup.id, EXPIRED)
    with pytest.raises(Refusal, match="There is no account"):
        await open_page(other_tenant, setup_of(account.id), sandbox)
