"""Is an endpoint told again exactly what was asked for?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.features.webhooks.errors import (
    event_unknown,
    webhook_endpoint_disabled,
    webhook_replay_running,
    webhook_replay_too_old,
)
from billwright.features.webhooks.model import DeliveryState, ReplayScope
from billwright.features.webhooks.operations import fan_out_events as fanning_out
from billwright.features.webhooks.operations.disable_endpoint import disable_endpoint
from billwright.features.webhooks.operations.enable_endpoint import enable_endpoint
from billwright.features.webhooks.operations.replay_events import (
    ReplaySince,
    replay_event,
    replay_since,
)
from billwright.kernel.id_bounds import made_at
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tests.features.webhooks.listening import (
    ScriptedSender,
    an_endpoint,
    answered,
    deliveries_of,
    dispatch,
    endpoint_of,
    happen,
    read_log,
)


async def recorded(tenant, clock):
    """The events so far; replays ask by the machine's time, which the clock follows from here on."""
    events = (await read_log(tenant)).events
    clock.move_to(made_at(events[-1].id) + timedelta(minutes=20))
    return events


@pytest.mark.parametrize(
    ("scope", "again"),
    [(ReplayScope.UNDELIVERED, ["b", "c"]), (ReplayScope.EVERYTHING, ["a", "b", "c"])],
)
async def test_a_part_of_the_log_is_sent_again_in_order(tenant, clock, monkeypatch, scope, again):
    """`a` was delivered, `b` refused for good, `c` happened while nobody listened."""
    monkeypatch.setattr(fanning_out, "_BATCH_SIZE", 2)
    endpoint, subject = await an_endpoint(tenant), new_id()
    await happen(tenant, "a", subject_id=subject)
    await dispatch(tenant, ScriptedSender())
    await happen(tenant, "b", subject_id=subject)
    await dispatch(tenant, ScriptedSender([answered(400)]))
    async with tenant.tx() as tx:
        await disable_endpoint(tx, endpoint.id)
    await happen(tenant, "c", subject_id=subject)
    async with tenant.tx() as tx:
        await enable_endpoint(tx, endpoint.id)
    await happen(tenant, "d", subject_id=subject)
    events = await recorded(tenant, clock)

    async with tenant.tx() as tx:
        command = ReplaySince(endpoint_id=endpoint.id, since=made_at(events[0].id), scope=scope)
        await replay_since(tx, command)
    async with tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await replay_since(tx, command)
    assert refused.value.code == webhook_replay_running.code
    sender = ScriptedSender()
    await dispatch(tenant, sender)
    order = [
        body["data"]["data"]["code"] for body in sender.bodies if body["type"] == "plan.archived"
    ]
    assert order == [*again, "d"]
    assert (await endpoint_of(tenant, endpoint)).replay is None
    assert {one.state for one in await deliveries_of(tenant, endpoint)} == {DeliveryState.DELIVERED}
    assert await dispatch(tenant, sender) == 0


async def test_what_happened_before_the_instant_is_left_alone(tenant, clock):
    await happen(tenant, "before")
    first = await recorded(tenant, clock)
    endpoint = await an_endpoint(tenant)
    await happen(tenant, "after")
    await recorded(tenant, clock)
    async with tenant.tx() as tx:
        since = made_at(first[0].id) + timedelta(milliseconds=1)
        await replay_since(tx, ReplaySince(endpoint_id=endpoint.id, since=since))
    sender = ScriptedSender()
    await dispatch(tenant, sender)
    assert sender.names == ["after"]


async def test_one_event_is_sent_again_under_its_own_id(tenant):
    await happen(tenant, "before")
    endpoint = await an_endpoint(tenant, event_types=("plan.created",))
    [event] = (await read_log(tenant)).events
    sender = ScriptedSender()
    for _ in range(2):
        async with tenant.tx() as tx:
            await replay_event(tx, endpoint.id, event_id=event.id)
        assert await dispatch(tenant, sender) == 1
    assert {message.id for message in sender.sent} == {str(event.id)}


async def test_refusals(tenant, other_tenant, clock):
    await happen(other_tenant, "theirs")
    [foreign] = (await read_log(other_tenant)).events
    endpoint = await an_endpoint(tenant)
    async with tenant.tx() as tx:
        with pytest.raises(Refusal) as unknown:
            await replay_event(tx, endpoint.id, event_id=foreign.id)
        for since in (clock.now() - timedelta(days=31), clock.now() + timedelta(seconds=1)):
            with pytest.raises(Refusal) as too_old:
                await replay_since(tx, ReplaySince(endpoint_id=endpoint.id, since=since))
        await disable_endpoint(tx, endpoint.id)
        with pytest.raises(Refusal) as disabled:
            await replay_since(tx, ReplaySince(endpoint_id=endpoint.id, since=clock.now()))
    assert unknown.value.code == event_unknown.code
    assert too_old.value.code == webhook_replay_too_old.code
    assert disabled.value.code == webhook_endpoint_disabled.code
