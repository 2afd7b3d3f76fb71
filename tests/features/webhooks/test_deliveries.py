"""Does every endpoint learn of every event that it wants, in order, however it behaves?"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from billwright.features.webhooks.errors import (
    webhook_endpoint_disabled,
    webhook_endpoint_unknown,
)
from billwright.features.webhooks.jobs import forget_old_webhook_deliveries
from billwright.features.webhooks.model import DeliveryState, DisabledReason, EndpointStatus
from billwright.features.webhooks.operations import fan_out_events as fanning_out
from billwright.features.webhooks.operations.delete_endpoint import delete_endpoint
from billwright.features.webhooks.operations.disable_endpoint import disable_endpoint
from billwright.features.webhooks.operations.enable_endpoint import enable_endpoint
from billwright.features.webhooks.operations.endpoint_secrets import opened_secret
from billwright.features.webhooks.operations.fan_out_events import fan_out_events
from billwright.features.webhooks.operations.rotate_secret import rotate_secret
from billwright.features.webhooks.operations.send_test_event import send_test_event
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, Tenant
from tests.features.webhooks.listening import (
    SILENT,
    ScriptedSender,
    an_endpoint,
    answered,
    attempts_of,
    deliveries_of,
    dispatch,
    endpoint_of,
    happen,
    read_log,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DELIVERED, PENDING = DeliveryState.DELIVERED, DeliveryState.PENDING


async def test_an_event_is_delivered_once_in_the_published_form(tenant, clock):
    await happen(tenant, "before")
    endpoint = await an_endpoint(tenant)
    await happen(tenant, "team")
    sender = ScriptedSender()
    assert await dispatch(tenant, sender) == 1
    clock.move_to(clock.now() + DAY)
    assert await dispatch(tenant, sender) == 0
    [message], [body] = sender.sent, sender.bodies
    event = (await read_log(tenant)).events[-1]
    assert (message.id, message.url) == (str(event.id), endpoint.url)
    assert message.secrets == (opened_secret(endpoint, tenant_id=tenant.id, box=BOX),)
    assert (body["type"], body["timestamp"]) == ("plan.archived", "2026-01-15T12:00:00Z")
    data = body["data"]
    assert (data["id"], data["sequence"], data["version"]) == (str(event.id), event.position, 1)
    assert (data["subject_type"], data["subject_id"]) == ("plan", str(event.subject_id))
    assert data["data"] == {"code": "team", "name": "A plan"}
    [delivery], [attempt] = (
        await deliveries_of(tenant, endpoint),
        await attempts_of(tenant, endpoint),
    )
    assert (delivery.state, delivery.attempts) == (DELIVERED, 1)
    assert (attempt.status, attempt.duration_ms, attempt.number) == (204, 7, 1)


async def test_each_endpoint_gets_its_types_and_a_test_only_its_own(tenant):
    everything = await an_endpoint(tenant)
    one_type = await an_endpoint(tenant, event_types=("plan.created",))
    await happen(tenant, "team")
    async with tenant.tx() as tx:
        tested = await send_test_event(tx, one_type.id)
    assert await dispatch(tenant, ScriptedSender()) == 2
    assert [one.event_type for one in await deliveries_of(tenant, everything)] == ["plan.archived"]
    assert [one.event_id for one in await deliveries_of(tenant, one_type)] == [tested]


async def test_an_event_waits_for_the_one_before_it_about_the_same_thing(tenant, clock):
    endpoint = await an_endpoint(tenant)
    subject = new_id()
    await happen(tenant, "a1", "a2", subject_id=subject)
    await happen(tenant, "b1")
    await happen(tenant, "a3", subject_id=subject)
    sender = ScriptedSender([answered(500)])
    assert await dispatch(tenant, sender) == 2
    assert sender.names == ["a1", "b1"]
    assert await dispatch(tenant, sender) == 0
    clock.move_to(clock.now() + 2 * MINUTE)
    assert await dispatch(tenant, sender) == 3
    assert sender.names == ["a1", "b1", "a1", "a2", "a3"]
    assert sender.sent[0].id == sender.sent[2].id
    assert {one.state for one in await deliveries_of(tenant, endpoint)} == {DELIVERED}


async def test_one_that_is_never_accepted_is_given_up_after_three_days_and_the_next_one_goes(
    tenant, clock
):
    endpoint = await an_endpoint(tenant)
    subject, began = new_id(), clock.now()
    await happen(tenant, "poison", "next", subject_id=subject)
    others = ScriptedSender()
    sender = ScriptedSender([answered(400)] * 10)
    pauses = []
    while (poison := (await deliveries_of(tenant, endpoint) or [None])[0]) is None or (
        poison.state is PENDING
    ):
        if poison is not None:
            pauses.append(poison.next_attempt_at)
            rests = (await endpoint_of(tenant, endpoint)).health.rests_until
            clock.move_to(max(clock.now(), poison.next_attempt_at, rests or clock.now()))
        await dispatch(tenant, sender)
    assert (poison.state, poison.attempts) == (DeliveryState.FAILED, 10)
    assert 2.8 * DAY < clock.now() - began < 3.6 * DAY
    assert all(later > earlier for earlier, later in pairwise(pauses))
    clock.move_to(clock.now() + 20 * MINUTE)
    await dispatch(tenant, others)
    assert [one.state for one in await deliveries_of(tenant, endpoint)] == [
        DeliveryState.FAILED,
        DELIVERED,
    ]
    assert [one.number for one in await attempts_of(tenant, endpoint)] == [*range(1, 11), 1]


async def test_an_endpoint_that_asks_for_time_gets_it(tenant, clock):
    await an_endpoint(tenant)
    await happen(tenant, "first")
    sender = ScriptedSender([answered(429, retry_after_seconds=3600)])
    assert await dispatch(tenant, sender) == 1
    await happen(tenant, "second")
    clock.move_to(clock.now() + 59 * MINUTE)
    assert await dispatch(tenant, sender) == 0
    clock.move_to(clock.now() + MINUTE)
    assert await dispatch(tenant, sender) == 2


async def test_an_endpoint_that_is_down_costs_little_and_recovers_at_once(tenant, clock):
    endpoint = await an_endpoint(tenant)
    await happen(tenant, *(f"n{number}" for number in range(60)))
    down = ScriptedSender(otherwise=SILENT)
    assert await dispatch(tenant, down) == 20  # one batch; then it rests
    health = (await endpoint_of(tenant, endpoint)).health
    assert (health.failures, health.failing_since) == (20, clock.now())
    assert health.rests_until == clock.now() + 15 * MINUTE
    for _ in range(3):
        clock.move_to(clock.now() + 15 * MINUTE)
        assert await dispatch(tenant, down) == 1
    clock.move_to(clock.now() + 15 * MINUTE)
    up = ScriptedSender()
    assert await dispatch(tenant, up) >= 57
    assert up.most_at_once == 20
    assert (await endpoint_of(tenant, endpoint)).health.failures == 0


async def test_410_disables_at_once(tenant):
    endpoint = await an_endpoint(tenant)
    witness = await an_endpoint(tenant, "https://other.example.com/")
    await happen(tenant, "first", "second")
    sender = ScriptedSender()
    sender.script = [answered(410)]
    await dispatch(tenant, sender)
    both = [await endpoint_of(tenant, one) for one in (endpoint, witness)]
    [gone] = [one for one in both if one.status is EndpointStatus.DISABLED]
    assert gone.disabled_reason is DisabledReason.GONE
    assert {one.state for one in await deliveries_of(tenant, gone)} <= {
        DeliveryState.CANCELED,
        DELIVERED,
    }
    await dispatch(tenant, sender)
    assert sender.bodies[-1]["type"] == "webhook_endpoint.disabled"
    assert sender.bodies[-1]["data"]["data"] == {"url": gone.url, "reason": "gone"}


async def test_five_days_without_a_success_disable(tenant, clock):
    endpoint = await an_endpoint(tenant)
    began, down = clock.now(), ScriptedSender(otherwise=SILENT)
    while (now := await endpoint_of(tenant, endpoint)).status is EndpointStatus.ENABLED:
        await happen(tenant, "again")
        await dispatch(tenant, down)
        clock.move_to(clock.now() + 3 * timedelta(hours=1))
    assert now.disabled_reason is DisabledReason.FAILING
    assert 5 * DAY <= now.disabled_at - began < 5 * DAY + timedelta(hours=4)
    states = {one.state for one in await deliveries_of(tenant, endpoint)}
    assert states <= {DeliveryState.CANCELED, DeliveryState.FAILED}


async def test_disabled_is_silent_and_enabled_begins_anew(tenant):
    endpoint = await an_endpoint(tenant)
    await happen(tenant, "waiting")
    await fan_out_events(tenant.tx)
    async with tenant.tx() as tx:
        await disable_endpoint(tx, endpoint.id)
        with pytest.raises(Refusal) as refused:
            await send_test_event(tx, endpoint.id)
    assert refused.value.code == webhook_endpoint_disabled.code
    await happen(tenant, "meanwhile")
    async with tenant.tx() as tx:
        await enable_endpoint(tx, endpoint.id)
    await happen(tenant, "afterwards")
    sender = ScriptedSender()
    await dispatch(tenant, sender)
    assert sender.names == ["afterwards"]
    [waiting, _] = await deliveries_of(tenant, endpoint)
    assert waiting.state is DeliveryState.CANCELED


async def test_a_replaced_secret_signs_for_a_day(tenant, clock):
    endpoint = await an_endpoint(tenant)
    old = opened_secret(endpoint, tenant_id=tenant.id, box=BOX)
    async with tenant.tx() as tx:
        rotated = await rotate_secret(tx, endpoint.id, box=BOX)
    new = opened_secret(rotated, tenant_id=tenant.id, box=BOX)
    sender = ScriptedSender()
    await happen(tenant, "today")
    await dispatch(tenant, sender)
    clock.move_to(clock.now() + DAY)
    await happen(tenant, "tomorrow")
    await dispatch(tenant, sender)
    assert old != new
    assert [message.secrets for message in sender.sent] == [(new, old), (new,)]


async def test_a_secret_is_sealed_anew_when_the_key_has_changed(tenant, monkeypatch):
    endpoint = await an_endpoint(tenant)
    later = SecretBox(bytes(32), [bytes(range(32))])
    monkeypatch.setattr("tests.conftest.BOX", later)
    await happen(tenant, "team")
    sender = ScriptedSender()
    await dispatch(tenant, sender)
    stored = await endpoint_of(tenant, endpoint)
    assert not later.needs_resealing(stored.secret_sealed)
    only_new = SecretBox(bytes(32))
    assert opened_secret(stored, tenant_id=tenant.id, box=only_new) == sender.sent[0].secrets[0]


async def test_only_one_worker_sends_to_an_endpoint_and_a_dead_one_is_replaced(
    tenant, clock, monkeypatch
):
    await an_endpoint(tenant)
    await happen(tenant, "team")

    class Dying:
        async def send(self, _message: object) -> None:
            raise KeyError("the process ends here")

    with pytest.raises(KeyError):
        await dispatch(tenant, Dying())
    sender = ScriptedSender()
    assert await dispatch(tenant, sender) == 0
    clock.move_to(clock.now() + 2 * MINUTE)
    assert await dispatch(tenant, sender) == 1


async def test_batches_are_seamless(tenant, monkeypatch):
    monkeypatch.setattr(fanning_out, "_BATCH_SIZE", 3)
    early = await an_endpoint(tenant)
    await happen(tenant, "a", "b")
    late = await an_endpoint(tenant, "https://late.example.com/")
    for code in "cdefgh":
        await happen(tenant, code)
    assert await fan_out_events(tenant.tx) == 8 + 6
    assert len(await deliveries_of(tenant, early)) == 8
    assert len(await deliveries_of(tenant, late)) == 6
    assert await fan_out_events(tenant.tx) == 0


async def test_a_commit_asks_for_delivery_only_where_somebody_listens(tenant, other_tenant):
    await an_endpoint(tenant)
    await happen(tenant, "heard")
    await happen(other_tenant, "unheard")
    rows = await tenant.database.unscoped(
        "select payload from queue.pgqueuer where entrypoint = 'dispatch_webhooks'"
    )
    bodies = [msgspec.json.decode(row["payload"]) for row in rows]
    assert [body["tenant_id"] for body in bodies] == [str(tenant.id)]


async def test_what_was_sent_is_forgotten_after_thirty_days_of_the_machines_time(tenant, clock):
    endpoint = await an_endpoint(tenant)
    await happen(tenant, "delivered")
    await dispatch(tenant, ScriptedSender())
    async with tenant.tx() as tx:
        await delete_endpoint(tx, endpoint.id)
    assert await forget_old_webhook_deliveries(tenant.work()) == 0
    made = await machine_time(tenant)
    clock.move_to(made + 29 * DAY)
    assert await forget_old_webhook_deliveries(tenant.work()) == 0
    clock.move_to(made + 31 * DAY)
    assert await forget_old_webhook_deliveries(tenant.work()) == 3  # delivery, attempt, endpoint
    assert len((await read_log(tenant)).events) == 1


async def test_another_tenant_has_no_such_endpoint(tenant, other_tenant):
    endpoint = await an_endpoint(tenant)
    for operation in (enable_endpoint, disable_endpoint, delete_endpoint, send_test_event):
        async with other_tenant.tx() as tx:
            with pytest.raises(Refusal) as refused:
                await operation(tx, endpoint.id)
        assert refused.value.code == webhook_endpoint_unknown.code
    await happen(other_tenant, "theirs")
    assert await dispatch(tenant, ScriptedSender()) == 0


async def machine_time(tenant: Tenant) -> datetime:
    """When the last event was recorded, by the machine's clock."""
    async with tenant.tx() as tx:
        made: datetime = await tx.fetch_value(
            """select to_timestamp(('x' || left(replace(max(id::text), '-', ''), 12))::bit(48)::bigint
                   / 1000.0) from event"""
        )
        return made
