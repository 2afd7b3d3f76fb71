"""Is what a provider tells kept before anything else, and applied once?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from billwright.features.callbacks.model import CallbackState
from billwright.features.callbacks.operations import apply_callback as applying
from billwright.features.callbacks.operations import receive_callback as receiving
from billwright.features.callbacks.sql.writes import claim_due_callbacks
from billwright.features.invoicing.model import InvoiceState
from billwright.features.payment_providers.port import CallbackInvalid, ProviderUnavailable
from billwright.kernel.refusal import Refusal
from billwright.runtime.secrets import SecretBox
from tests.conftest import NOON, Tenant
from tests.features.callbacks.calling import Caller, asked, attempt_state, kept, states
from tests.features.payments.paying import TOTAL, an_invoice, events_of, invoice_now

WEEK = timedelta(days=7)


@pytest.fixture
def caller(database, clock) -> Caller:
    return Caller(database, clock)


async def open_tasks(tenant: Tenant) -> list[tuple[str, str]]:
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            "select kind, details ->> 'reason' as reason from review_task order by id"
        )
    return [tuple(row) for row in rows]


async def test_money_that_a_provider_tells_of_is_booked(tenant, caller):
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id))
    [callback] = await kept(tenant)
    assert (callback.state, callback.attempts) == (CallbackState.HANDLED, 0)
    assert (callback.next_attempt_at, callback.handled_at) == (None, NOON)
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID
    assert "46.29" not in callback.body_sealed


async def test_what_comes_again_does_nothing(tenant, caller):
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    body = caller.about(attempt, tenant_id=tenant.id)
    for _ in range(3):
        await caller.deliver(body)
    assert await states(tenant) == ["handled"]
    assert len(await events_of(tenant, "payment.succeeded")) == 1


async def test_many_deliveries_and_the_worker_at_once_apply_it_once(tenant, caller):
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    caller.clock.move_to(NOON + timedelta(minutes=2))
    bodies = [caller.about(attempt, tenant_id=tenant.id) for _ in range(2)]
    await asyncio.gather(
        *(caller.deliver(body) for body in bodies * 3), *(caller.retry(tenant) for _ in range(2))
    )
    assert await states(tenant) == ["handled", "handled"]
    assert len(await events_of(tenant, "payment.succeeded")) == 1
    assert (await invoice_now(tenant, invoice)).paid_minor == TOTAL


async def test_two_that_apply_the_same_callback_at_once_apply_it_once(tenant, caller, monkeypatch):
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    monkeypatch.setattr(receiving, "apply_callback", _dies)
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id))
    [callback] = await kept(tenant)
    monkeypatch.undo()
    await asyncio.gather(
        *(
            applying.apply_callback(
                tenant.tx, callback.id, providers=caller.providers, box=caller.box
            )
            for _ in range(4)
        )
    )
    async with tenant.tx() as tx:
        ended = await tx.fetch_value(
            "select count(*) from audit_entry where action = 'provider_callback.end'"
        )
    assert ended == 1
    assert len(await events_of(tenant, "payment.succeeded")) == 1


async def test_who_dies_between_storing_and_applying_loses_nothing(tenant, caller, monkeypatch):
    """The provider has its answer, or sends it again and is told that it is here already."""
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    monkeypatch.setattr(receiving, "apply_callback", _dies)
    body = caller.about(attempt, tenant_id=tenant.id)
    await caller.deliver(body)
    monkeypatch.undo()
    await caller.deliver(body)
    assert await states(tenant) == ["received"]
    assert await caller.retry(tenant) == 0  # the one who stored it may still be at work
    caller.clock.move_to(NOON + timedelta(minutes=1))
    assert await caller.retry(tenant) == 1
    assert await states(tenant) == ["handled"]
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID


async def test_what_fails_is_undone_as_a_whole_and_tried_again(tenant, caller, monkeypatch):
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)

    async def books_and_fails(tx, event, *, provider, box):
        await apply_event(tx, event, provider=provider, box=box)
        raise RuntimeError("the secret reason")

    apply_event = applying.apply_event
    monkeypatch.setattr(applying, "apply_event", books_and_fails)
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id))
    [callback] = await kept(tenant)
    assert (callback.state, callback.attempts) == (CallbackState.WAITING, 1)
    assert callback.last_error == "RuntimeError"
    assert callback.next_attempt_at == NOON + timedelta(minutes=1)
    assert (await invoice_now(tenant, invoice)).paid_minor == 0
    monkeypatch.undo()
    caller.clock.move_to(NOON + timedelta(minutes=1))
    await caller.retry(tenant)
    assert await states(tenant) == ["handled"]
    assert (await invoice_now(tenant, invoice)).paid_minor == TOTAL


async def test_what_is_about_something_unknown_waits_for_it(tenant, caller):
    """A refund is told of by its payment's reference, before it is known who that is."""
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    refund = caller.event(
        "refund", reference="sandbox_refund_1", payment_reference="sandbox_payment_1"
    )
    await caller.deliver(refund)
    assert await states(tenant) == ["waiting"]
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id))
    caller.clock.move_to(NOON + timedelta(minutes=1))
    await caller.retry(tenant)
    assert await states(tenant) == ["handled", "handled"]
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select origin from refund") == "provider"


async def test_what_is_never_found_is_tried_for_a_week_and_then_shown_to_a_person(tenant, caller):
    await caller.deliver(caller.event(provider_key="attempt:nowhere", tenant_id=tenant.id))
    tried = []
    while (callback := (await kept(tenant))[0]).next_attempt_at is not None:
        tried.append(callback.next_attempt_at - NOON)
        caller.clock.move_to(callback.next_attempt_at)
        await caller.retry(tenant)
    minutes, hours = [1, 5, 30], [2, 12]
    assert tried == [
        *(timedelta(minutes=number) for number in minutes),
        *(timedelta(hours=number) for number in hours),
        *(timedelta(days=number) for number in range(1, 8)),
    ]
    assert (callback.state, callback.last_error) == (CallbackState.UNMATCHED, "not_found")
    assert await open_tasks(tenant) == [("callback_unmatched", "not_found")]
    assert len(await events_of(tenant, "review.requested")) == 1


@pytest.mark.parametrize(
    ("kind", "tasks"),
    [("payment", 0), ("setup", 0), ("refund", 1), ("dispute", 1)],
)
async def test_what_somebody_else_has_made_concerns_a_person_only_if_money_goes_back(
    tenant, caller, kind, tasks
):
    await caller.deliver(caller.event(kind, payment_reference="sandbox_payment_9"))
    await caller.wait(tenant, until=NOON + WEEK)
    assert len(await open_tasks(tenant)) == tasks


async def test_a_worker_that_dies_at_the_last_try_leaves_it_to_the_next(
    tenant, caller, monkeypatch
):
    await caller.deliver(caller.event(provider_key="attempt:nowhere", tenant_id=tenant.id))
    await caller.wait(tenant, until=NOON + WEEK - timedelta(hours=1))
    caller.clock.move_to(NOON + WEEK)
    monkeypatch.setattr("billwright.features.callbacks.jobs.retry_batch", _claims_and_dies)
    with pytest.raises(KeyboardInterrupt):
        await caller.retry(tenant)
    monkeypatch.undo()
    assert await states(tenant) == ["waiting"]
    caller.clock.move_to(NOON + WEEK + timedelta(days=1))
    await caller.retry(tenant)
    assert await states(tenant) == ["unmatched"]
    assert len(await open_tasks(tenant)) == 1


async def test_what_is_of_no_use_is_kept_and_ignored(tenant, caller):
    await caller.deliver(caller.event("comet", tenant_id=tenant.id))
    assert await states(tenant) == ["ignored"]


async def test_who_has_not_signed_is_refused_and_leaves_nothing_behind(tenant, caller):
    body = caller.event(failure_code="4242424242424242")
    for headers in ({"webhook-id": "any"}, {}):
        with capture_logs() as logs, pytest.raises(CallbackInvalid):
            await caller.deliver(body, headers or {"webhook-signature": "v1,4242"})
        assert "4242" not in str(logs)
    assert await kept(tenant) == []


async def test_a_provider_that_is_not_there_sends_nothing(tenant, caller):
    caller.provider = _Quiet()
    with pytest.raises(Refusal) as refusal:
        await caller.deliver(b"{}")
    assert refusal.value.code == "callback_provider_unknown"


async def test_without_any_tenant_the_provider_is_asked_to_come_again(caller):
    with pytest.raises(Refusal) as refusal:
        await caller.deliver(caller.event())
    assert refusal.value.code == "callback_without_tenant"


async def test_what_one_tenant_is_told_of_touches_no_other(tenant, other_tenant, caller):
    """Two tenants share the provider's account; the event names one of them, and a key of the other."""
    invoice = await an_invoice(other_tenant)
    attempt = await asked(other_tenant, invoice, caller)
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id))
    assert await states(tenant) == ["waiting"]
    assert await kept(other_tenant) == []
    assert (await invoice_now(other_tenant, invoice)).paid_minor == 0


async def test_a_tenant_that_is_not_named_is_known_by_the_reference(tenant, other_tenant, caller):
    invoice = await an_invoice(other_tenant)
    attempt = await asked(other_tenant, invoice, caller)
    processing = caller.about(attempt, "processing", tenant_id=other_tenant.id)
    await caller.deliver(processing)
    await caller.deliver(caller.event(state="succeeded"))
    assert await states(other_tenant) == ["handled", "handled"]
    assert await kept(tenant) == []
    assert (await invoice_now(other_tenant, invoice)).paid_minor == TOTAL


async def test_what_cannot_be_placed_waits_and_is_handed_over(tenant, other_tenant, caller):
    """It comes before the answer to the request, which brings the reference."""
    invoice = await an_invoice(other_tenant)
    attempt = await asked(other_tenant, invoice, caller)
    await caller.deliver(caller.event(state="succeeded"))
    assert (await states(tenant), await states(other_tenant)) == (["waiting"], [])
    await caller.deliver(caller.about(attempt, "processing", tenant_id=other_tenant.id))
    caller.clock.move_to(NOON + timedelta(minutes=1))
    await caller.retry(tenant)
    assert (await states(tenant), await states(other_tenant)) == (["ignored"], ["handled"] * 2)
    assert (await invoice_now(other_tenant, invoice)).paid_minor == TOTAL
    assert await caller.retry(tenant) == 0


async def test_a_reference_that_two_tenants_know_is_nobodys_money(tenant, other_tenant, caller):
    for each in (tenant, other_tenant):
        attempt = await asked(each, await an_invoice(each), caller)
        await caller.deliver(caller.about(attempt, "processing", tenant_id=each.id))
    await caller.deliver(caller.event(event_id="whose", state="declined"))
    assert [one.event_id for one in await kept(tenant)][-1] == "whose"
    for each in (tenant, other_tenant):
        async with each.tx() as tx:
            assert await tx.fetch_value("select state from payment_attempt") == "processing"
    await caller.wait(tenant, until=NOON + WEEK)
    assert await open_tasks(tenant) == [("callback_unmatched", "of_several_tenants")]


async def test_a_provider_that_does_not_answer_keeps_no_money_waiting(tenant, caller, monkeypatch):
    """The event says that the payer has left a method and not which one."""
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    monkeypatch.setattr(caller.sandbox, "look_up", _unavailable)
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id, has_saved=True))
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID
    [callback] = await kept(tenant)
    assert (callback.state.value, callback.last_error) == ("waiting", "provider_not_answering")
    monkeypatch.undo()
    caller.clock.move_to(NOON + timedelta(minutes=1))
    await caller.retry(tenant)
    assert await states(tenant) == ["handled"]
    assert len(await events_of(tenant, "payment.succeeded")) == 1


async def test_what_was_stored_is_readable_after_secrets_and_keys_have_changed(
    tenant, caller, monkeypatch
):
    """A signature is checked once, when it comes."""
    invoice = await an_invoice(tenant)
    attempt = await asked(tenant, invoice, caller)
    monkeypatch.setattr(receiving, "apply_callback", _dies)
    await caller.deliver(caller.about(attempt, tenant_id=tenant.id))
    monkeypatch.undo()
    later = Caller(caller.database, caller.clock)
    later.sandbox._secrets = ("whsec_of_next_year",)
    later.box = SecretBox(bytes(32), [bytes(range(32))])
    later.clock.move_to(NOON + timedelta(days=3))
    await later.retry(tenant)
    assert await states(tenant) == ["handled"]
    assert await attempt_state(tenant, attempt.id) == "succeeded"


async def test_a_body_that_cannot_be_opened_any_more_is_shown_to_a_person(
    tenant, caller, monkeypatch
):
    monkeypatch.setattr(receiving, "apply_callback", _dies)
    await caller.deliver(caller.event(tenant_id=tenant.id))
    monkeypatch.undo()
    caller.box = SecretBox(bytes(32))
    await caller.wait(tenant, until=NOON + WEEK)
    assert await open_tasks(tenant) == [("callback_unmatched", "SecretUnreadable")]


async def _dies(*_args: object, **_more: object) -> None:
    raise RuntimeError("the process is gone")


async def _claims_and_dies(open_tx, *, as_of, **_more: object) -> int:
    async with open_tx() as tx:
        assert await claim_due_callbacks(tx, as_of=as_of, limit=1)
    raise KeyboardInterrupt


async def _unavailable(_reference: str) -> None:
    raise ProviderUnavailable("sandbox")


class _Quiet:
    name = "quiet"
    capabilities: frozenset[str] = frozenset()
