"""Does every command on a subscription work over HTTP, once, and as its preview has said?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.surfaces.platform_api.commanding import (
    COMMANDS,
    Command,
    everything_of,
    preview,
    ready_for,
    send,
)
from tests.surfaces.platform_api.requests import got, standing

_of_every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.path)


@_of_every_command
async def test_what_was_previewed_is_what_is_done(
    client: httpx2.AsyncClient, tenant: Tenant, clock: FixedClock, command: Command
):
    """An hour passes in between, where the request can say which instant was reckoned with."""
    subscription = await ready_for(client, command, clock=clock)
    before = await everything_of(tenant)
    shown = await preview(client, subscription, command)
    assert shown.status_code == 200, shown.text
    promised = shown.json()
    assert await everything_of(tenant) == before

    if command.timed and command.body is not None:
        clock.move_to(clock.now() + timedelta(hours=1))
        command = replace(command, body={**command.body, "effective_at": promised["proration_at"]})
    response = await send(client, subscription, command)
    assert response.status_code == 200, response.text
    done = response.json()
    assert without_time(standing(done)) == without_time(promised["subscription"])
    assert (done["pending"], done["held"]) == (promised["pending"], promised["held"])
    assert len(promised["pending_lines"]) == done["pending"] + done["held"]
    for document, expected in zip(done["documents"], promised["documents"], strict=True):
        assert (document["kind"], document["total"], document["due"]) == (
            expected["kind"],
            expected["total"],
            expected["due"],
        )
        made = await got(client, f"/invoices/{document['id']}")
        assert_contains(made, expected)


@_of_every_command
async def test_it_is_done_once_on_what_was_seen_and_for_its_own_tenant(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    tenant: Tenant,
    clock: FixedClock,
    command: Command,
):
    subscription = await ready_for(client, command, clock=clock)
    before = await everything_of(tenant)
    for ask in (send, preview):
        foreign = await ask(other_client, subscription, command)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "subscription_unknown")
        stale = await ask(client, subscription, command, **{"If-Match": '"99"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "version_stale")
    assert await everything_of(tenant) == before

    headers = {"If-Match": f'"{subscription["version"]}"', "Idempotency-Key": "once"}
    first = await send(client, subscription, command, **headers)
    assert first.status_code == 200, first.text
    assert first.headers["ETag"] == f'"{first.json()["version"]}"'
    after = await everything_of(tenant)
    assert after != before
    again = await send(client, subscription, command, **headers)
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", first.json())
    assert await everything_of(tenant) == after
    assert await got(client, f"/subscriptions/{subscription['id']}") == standing(first.json())


def without_time(subscription: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in subscription.items() if name != "updated_at"}


def assert_contains(made: dict[str, Any], expected: dict[str, Any]) -> None:
    """The stored document has all that the preview said of it, line by line."""
    assert {name: made[name] for name in expected if name != "lines"} == {
        name: value for name, value in expected.items() if name != "lines"
    }
    for line, shown in zip(made["lines"], expected["lines"], strict=True):
        assert {name: line[name] for name in shown} == shown
