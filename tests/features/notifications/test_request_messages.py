"""Is a message asked for once, in order, and in the caller's commit?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from billwright.features.notifications.model import RequestState
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.kernel.ids import new_id
from tests.features.notifications.requesting import (
    a_request,
    request,
    requests_of,
    the_account,
)


async def jobs_of(database):
    rows = await database.unscoped(
        "select entrypoint from queue.pgqueuer where entrypoint = 'deliver_notifications'"
    )
    return len(rows)


async def test_a_request_waits_for_delivery(tenant, database, clock):
    account = await the_account(tenant)
    wanted = a_request(account, priority=5)
    assert await request(tenant, wanted) == 1
    [stored] = await requests_of(tenant)
    assert (stored.state, stored.attempts, stored.sequence) == (RequestState.PENDING, 0, 1)
    assert (stored.data, stored.dedup_key, stored.priority) == (wanted.data, wanted.dedup_key, 5)
    assert stored.next_attempt_at == clock.now()
    assert stored.expires_at == clock.now() + timedelta(days=30)
    assert await jobs_of(database) == 1


async def test_the_same_message_is_asked_for_once(tenant):
    account = await the_account(tenant)
    wanted = a_request(account)
    assert await request(tenant, wanted) == 1
    assert await request(tenant, wanted, wanted) == 0
    assert len(await requests_of(tenant)) == 1


async def test_workers_that_ask_for_the_same_at_once_get_one(tenant):
    wanted = a_request(await the_account(tenant))
    assert sorted(await asyncio.gather(*(request(tenant, wanted) for _ in range(4)))) == [
        0,
        0,
        0,
        1,
    ]


async def test_messages_about_one_thing_are_numbered(tenant):
    account = await the_account(tenant)
    one, other = new_id(), new_id()
    await request(
        tenant,
        *(a_request(account, subject_id=one, dedup_key=f"one:{step}") for step in range(3)),
        a_request(account, subject_id=other),
    )
    await request(tenant, a_request(account, subject_id=one, dedup_key="one:3"))
    stored = await requests_of(tenant)
    assert [r.sequence for r in stored if r.subject_id == one] == [1, 2, 3, 4]
    assert [r.sequence for r in stored if r.subject_id == other] == [1]


async def test_two_that_ask_at_once_about_one_thing_come_one_after_the_other(tenant):
    account, subject = await the_account(tenant), new_id()
    asked = [a_request(account, subject_id=subject, dedup_key=f"k:{n}") for n in range(2)]
    async with tenant.tx() as first:
        await request_messages(first, asked[:1])
        second = asyncio.create_task(request(tenant, asked[1]))
        await asyncio.sleep(0.2)
    assert await second == 1
    assert [stored.sequence for stored in await requests_of(tenant)] == [1, 2]


async def test_what_is_rolled_back_was_never_asked_for(tenant, database):
    account = await the_account(tenant)

    async def give_up():
        async with tenant.tx() as tx:
            await request_messages(tx, [a_request(account)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await give_up()
    assert await requests_of(tenant) == []
    assert await jobs_of(database) == 0


async def test_another_tenant_sees_nothing(tenant, other_tenant):
    await request(tenant, a_request(await the_account(tenant)))
    assert await requests_of(other_tenant) == []
