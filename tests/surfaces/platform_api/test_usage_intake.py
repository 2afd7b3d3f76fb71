"""Is usage of many small requests recorded together, and each request answered by itself?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI

from billwright.features.identity.model import Caller
from billwright.features.subscriptions.model import Subscription, UsageSubject
from billwright.features.usage.model import NewUsage
from billwright.kernel.actor import system_actor
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api.caller import Authorized
from billwright.surfaces.platform_api.usage_intake import (
    EventNames,
    ToldUsage,
    UsageIntake,
    record_told,
)
from tests.conftest import NOON, Tenant
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.waiting import WAITING, until_waiting, waiting_transactions

CROWD = 30


async def a_subscriber(tenant: Tenant) -> Subscription:
    async with tenant.tx() as tx:
        payer = await an_account(tx)
        await a_plan(tx, components=(in_arrears("storage", "0.10"),))
        return (await a_subscription(tx, payer)).subscription


def writer_of(application: FastAPI, tenant: Tenant, name: str = "platform") -> Authorized:
    caller = Caller(tenant.id, system_actor(name), frozenset())
    return Authorized(caller, application.state.wiring, "record_usage")


def used(event_id: str, quantity: str = "1") -> NewUsage:
    return NewUsage(
        source="api", event_id=event_id, meter="calls", quantity=Decimal(quantity), occurred_at=NOON
    )


def told(of: Subscription | None, *events: NewUsage) -> ToldUsage:
    """What one request tells of a subscription, which may be unknown."""
    subject = UsageSubject("subscription_id", of.id if of else uuid4())
    return ToldUsage({subject: 0}, [(subject, event) for event in events])


async def answers(
    intake: UsageIntake, writer: Authorized, requests: Sequence[ToldUsage]
) -> list[EventNames | BaseException]:
    async with asyncio.timeout(30):
        return await asyncio.gather(
            *(intake.record(writer, one) for one in requests), return_exceptions=True
        )


def names(*event_ids: str) -> EventNames:
    return {("api", event_id) for event_id in event_ids}


@asynccontextmanager
async def one_under_way(
    tenant: Tenant, of: Subscription, intake: UsageIntake, writer: Authorized
) -> AsyncIterator[tuple[Tx, asyncio.Task[EventNames]]]:
    """While the block lasts, a request with the event `under way` waits for its total."""
    async with tenant.tx() as tx:
        await record_told(tx, told(of, used("before")))
        request = asyncio.create_task(intake.record(writer, told(of, used("under way"))))
        await until_waiting(tx)
        yield tx, request


async def recorded(tenant: Tenant) -> tuple[set[str], int]:
    """The ids of all events, and by how many transactions they were recorded."""
    async with tenant.tx() as tx:
        events = await tx.fetch("select event_id from usage_event")
        transactions = await tx.fetch_value("select count(distinct xmin::text) from usage_event")
    return {row["event_id"] for row in events}, transactions


async def until_recorded(tenant: Tenant, event_ids: set[str]) -> None:
    async with asyncio.timeout(10):
        while (await recorded(tenant))[0] != event_ids:
            async with tenant.tx() as tx:
                await tx.execute("select pg_sleep(0.01)")


async def test_those_that_wait_together_are_few_transactions(application: FastAPI, tenant: Tenant):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    ids = [str(number) for number in range(CROWD)]
    async with one_under_way(tenant, of, intake, writer) as (_, first):
        waiting = asyncio.create_task(answers(intake, writer, [told(of, used(one)) for one in ids]))
        await asyncio.sleep(0)
        assert not first.done()
    assert await first == names("under way")
    assert await waiting == [names(one) for one in ids]
    # The one that held the total, the one that waited for it, and of the others half of all 31 who were
    # there, the 8 that are always taken, and the rest.
    assert await recorded(tenant) == ({"before", "under way", *ids}, 5)


async def test_two_transactions_are_on_their_way_at_once_and_no_third(
    application: FastAPI, tenant: Tenant
):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    async with one_under_way(tenant, of, intake, writer) as (tx, _):
        second = asyncio.create_task(intake.record(writer, told(of, used("second"))))
        await until_waiting(tx, transactions=2)
        others = [
            asyncio.create_task(intake.record(writer, told(of, used(f"other {number}"))))
            for number in range(3)
        ]
        await asyncio.sleep(0.2)
        assert await waiting_transactions(tx) == 2
    assert await second == names("second")
    assert await asyncio.gather(*others) == [names(f"other {number}") for number in range(3)]
    # The one that held the total, the two that waited for it, and one for the few others.
    assert (await recorded(tenant))[1] == 4


async def test_an_event_that_two_tell_was_recorded_for_the_first(
    application: FastAPI, tenant: Tenant
):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    one, two, three = used("1"), used("2"), used("3")
    found = await answers(
        intake, writer, [told(of, one, two), told(of, two, three), told(of, three, three)]
    )
    assert found == [names("1", "2"), names("3"), set()]
    assert await recorded(tenant) == ({"1", "2", "3"}, 1)


async def test_one_is_refused_and_the_others_are_recorded(application: FastAPI, tenant: Tenant):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    assert await intake.record(writer, told(of, used("known"))) == names("known")
    unknown, differing, *fine = await answers(
        intake,
        writer,
        [
            told(None, used("of nobody")),
            told(of, used("with it"), used("known", "2")),
            *(told(of, used(str(number))) for number in range(5)),
        ],
    )
    assert isinstance(unknown, Refusal)
    assert (unknown.code, unknown.problems[0].pointer) == (
        "usage_subject_unknown",
        "/events/0/subscription_id",
    )
    assert isinstance(differing, Refusal)
    # The place is that of its own request, whoever else was told with it.
    assert (differing.code, differing.problems[0].pointer) == ("usage_event_differs", "/events/1")
    assert fine == [names(str(number)) for number in range(5)]
    assert (await recorded(tenant))[0] == {"known", *"01234"}


async def test_who_goes_away_disturbs_nobody(application: FastAPI, tenant: Tenant):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    async with one_under_way(tenant, of, intake, writer) as (_, first):
        gone = asyncio.create_task(intake.record(writer, told(of, used("gone"))))
        stays = asyncio.create_task(intake.record(writer, told(of, used("stays"))))
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
    assert await stays == names("stays")
    # Whoever told of it has gone, not what was told.
    await until_recorded(tenant, {"before", "under way", "gone", "stays"})
    assert await intake.record(writer, told(of, used("gone"))) == set()


async def test_when_the_database_fails_all_are_told_and_the_next_are_recorded(
    application: FastAPI, tenant: Tenant, migrated_database: str
):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    owner = await asyncpg.connect(migrated_database)
    async with one_under_way(tenant, of, intake, writer) as (_, first):
        await owner.execute(f"select pg_terminate_backend(waiting.pid) from ({WAITING}) as waiting")
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
            await first
        # Those that come now have a connection that works.
        next_one = asyncio.create_task(intake.record(writer, told(of, used("next"))))
    await owner.close()
    assert await next_one == names("next")
    assert (await recorded(tenant))[0] == {"before", "next"}

    await tenant.database.close()
    failed = await answers(intake, writer, [told(of, used(str(n))) for n in range(CROWD)])
    assert len(failed) == CROWD
    assert {id(one) for one in failed} == {id(failed[0])}
    assert isinstance(failed[0], asyncpg.InterfaceError)


async def test_callers_do_not_share_a_transaction(
    application: FastAPI, tenant: Tenant, other_tenant: Tenant
):
    """Nor do two keys of one tenant: an event says who told it."""
    of, theirs, intake = await a_subscriber(tenant), await a_subscriber(other_tenant), UsageIntake()
    mine, also_mine = (writer_of(application, tenant, name) for name in ("one", "two"))
    stranger = writer_of(application, other_tenant, "one")
    found = await asyncio.gather(
        intake.record(mine, told(of, used("1"))),
        intake.record(stranger, told(theirs, used("1"))),
        intake.record(also_mine, told(of, used("2"))),
        intake.record(stranger, told(of, used("3"))),
        return_exceptions=True,
    )
    assert found[:3] == [names("1"), names("1"), names("2")]
    assert isinstance(found[3], Refusal)
    assert found[3].code == "usage_subject_unknown"
    assert await recorded(tenant) == ({"1", "2"}, 2)
    async with tenant.tx() as tx:
        told_by = await tx.fetch("select event_id, actor_name from usage_event order by event_id")
    assert [tuple(row) for row in told_by] == [("1", "one"), ("2", "two")]
    assert await recorded(other_tenant) == ({"1"}, 1)


async def test_who_tells_much_does_not_wait_for_others(application: FastAPI, tenant: Tenant):
    of, intake, writer = await a_subscriber(tenant), UsageIntake(), writer_of(application, tenant)
    async with tenant.tx() as tx:
        other = (await a_subscription(tx, await an_account(tx))).subscription
    ids = [str(number) for number in range(100)]
    async with one_under_way(tenant, of, intake, writer) as (_, first):
        assert await intake.record(writer, told(other, *map(used, ids))) == names(*ids)
        assert not first.done()
    assert await first == names("under way")
