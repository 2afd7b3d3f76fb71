"""May a clock be sent forward, and what does an account on it call now?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from billwright.features.accounts.model import TestClockState as ClockState
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.accounts.operations.step_test_clock import (
    finish_test_clock,
    step_test_clock,
)
from billwright.features.accounts.sql.reads import list_test_clocks
from billwright.features.accounts.sql.reads import test_clock_by_id as clock_by_id
from billwright.kernel.refusal import Refusal
from tests.features.billing import an_account

SPRING = datetime(2030, 3, 1, tzinfo=UTC)
LIMIT = timedelta(days=732)


async def a_clock(tenant):
    async with tenant.tx() as tx:
        return await create_test_clock(tx, name="spring", now=SPRING)


async def advance(tenant, clock_id, target: datetime):
    async with tenant.tx() as tx:
        return await request_test_clock_advance(tx, test_clock_id=clock_id, target=target)


async def refusal_of(tenant, clock_id, target: datetime) -> str:
    with pytest.raises(Refusal) as refused:
        await advance(tenant, clock_id, target)
    return refused.value.code


async def test_an_advance_is_noted_and_asked_for_once(tenant):
    made = await a_clock(tenant)
    asked = await advance(tenant, made.id, SPRING + LIMIT)
    async with tenant.tx() as tx:
        assert await clock_by_id(tx, made.id) == asked
        assert await list_test_clocks(tx, before=None, limit=9) == [asked]
        jobs = await tx.fetch("select entrypoint from queue.pgqueuer")
    assert (asked.state, asked.now, asked.target) == (
        ClockState.ADVANCING,
        SPRING,
        SPRING + LIMIT,
    )
    assert [row["entrypoint"] for row in jobs] == ["advance_test_clock"]
    assert await refusal_of(tenant, made.id, SPRING + LIMIT) == "test_clock_busy"


async def test_a_clock_goes_forward_and_not_too_far(tenant):
    made = await a_clock(tenant)
    assert await refusal_of(tenant, made.id, SPRING) == "test_clock_backwards"
    assert await refusal_of(tenant, made.id, SPRING - timedelta(days=1)) == "test_clock_backwards"
    too_far = SPRING + LIMIT + timedelta(microseconds=1)
    assert await refusal_of(tenant, made.id, too_far) == "test_clock_too_far"
    assert await refusal_of(tenant, uuid4(), too_far) == "test_clock_unknown"


async def test_another_tenants_clock_cannot_be_moved(tenant, other_tenant):
    made = await a_clock(tenant)
    assert await refusal_of(other_tenant, made.id, SPRING + LIMIT) == "test_clock_unknown"
    async with other_tenant.tx() as tx:
        await step_test_clock(tx, made.id, now=SPRING + LIMIT)
        await finish_test_clock(tx, made.id, failure="foreign")
        assert await list_test_clocks(tx, before=None, limit=9) == []
    async with tenant.tx() as tx:
        assert await clock_by_id(tx, made.id) == made


async def test_a_clock_never_goes_back(tenant):
    made = await a_clock(tenant)
    async with tenant.tx() as tx:
        await step_test_clock(tx, made.id, now=SPRING - timedelta(days=1))
        assert (await clock_by_id(tx, made.id)).now == SPRING


async def test_a_failed_advance_says_why_and_may_be_asked_for_again(tenant):
    made = await a_clock(tenant)
    await advance(tenant, made.id, SPRING + LIMIT)
    async with tenant.tx() as tx:
        await finish_test_clock(tx, made.id, failure="it is stuck")
        failed = await clock_by_id(tx, made.id)
    assert (failed.state, failed.failure) == (ClockState.FAILED, "it is stuck")
    again = await advance(tenant, made.id, SPRING + LIMIT)
    assert (again.state, again.failure) == (ClockState.ADVANCING, None)


async def test_an_account_lives_in_the_time_of_its_clock(tenant, clock):
    made = await a_clock(tenant)
    async with tenant.tx() as tx:
        traveler = await an_account(tx, test_clock_id=made.id)
        assert traveler.created_at == tx.now == SPRING
    async with tenant.tx() as tx:
        assert tx.now == clock.now()
        await lock_account(tx, traveler.id)
        assert tx.now == SPRING
    async with tenant.tx() as tx:
        ordinary = await an_account(tx)
        await lock_account(tx, ordinary.id)
        assert tx.now == clock.now()
