"""Is an account invoiced on its billing day, once and by one worker?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from billwright.features.accounts.model import Account, Collection
from billwright.features.accounts.operations.claim_billing_days import (
    advance_billing_days,
    claim_accounts_to_invoice,
)
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.park_account import park_account
from billwright.features.accounts.sql.reads import accounts_by_id, earliest_billing_day
from tests.features.billing import an_account

# The accounts are made on 15 January 2026, noon UTC; Berlin is an hour ahead.
FIRST_FEBRUARY = datetime(2026, 1, 31, 23, tzinfo=UTC)
TENTH_FEBRUARY = datetime(2026, 2, 9, 23, tzinfo=UTC)
BY_DAY = Collection.BILLING_DAY


async def make(tenant, day: int, **changes) -> Account:
    async with tenant.tx() as tx:
        return await an_account(tx, collection=BY_DAY, billing_day=day, **changes)


async def claim(tenant, as_of: datetime, *, limit: int = 9, clock_id=None) -> list[Account]:
    """What a run at that time bills."""
    async with tenant.tx(as_of) as tx:
        claimed = await claim_accounts_to_invoice(
            tx, as_of=as_of, test_clock_id=clock_id, limit=limit
        )
        await advance_billing_days(tx, claimed, now=as_of)
    return claimed


async def test_a_day_is_due_when_it_begins_and_then_a_month_later(tenant):
    made = await make(tenant, 1)
    async with tenant.tx() as tx:
        await an_account(tx)
    assert made.next_invoice_at == FIRST_FEBRUARY
    assert await claim(tenant, FIRST_FEBRUARY - timedelta(microseconds=1)) == []
    assert await claim(tenant, FIRST_FEBRUARY) == [made]
    assert await claim(tenant, FIRST_FEBRUARY) == []
    async with tenant.tx() as tx:
        advanced = (await accounts_by_id(tx, [made.id]))[made.id]
    assert advanced.next_invoice_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert (advanced.version, advanced.updated_at) == (2, FIRST_FEBRUARY)


async def test_months_that_were_missed_are_one_invoice(tenant):
    made = await make(tenant, 31, zone="UTC")
    late = datetime(2026, 4, 20, tzinfo=UTC)
    assert await claim(tenant, late) == [made]
    async with tenant.tx() as tx:
        advanced = (await accounts_by_id(tx, [made.id]))[made.id]
    assert advanced.next_invoice_at == datetime(2026, 4, 30, tzinfo=UTC)


async def test_who_has_waited_longest_comes_first_and_no_more_than_asked_for(tenant):
    tenth, first, twelfth = [await make(tenant, day) for day in (10, 1, 12)]
    late = datetime(2026, 2, 25, tzinfo=UTC)
    assert await claim(tenant, late, limit=2) == [first, tenth]
    assert await claim(tenant, late, limit=2) == [twelfth]


async def test_a_parked_account_is_left_alone(tenant):
    parked, other = await make(tenant, 1), await make(tenant, 1)
    async with tenant.tx() as tx:
        await park_account(tx, account_id=parked.id, reason="no rate")
    assert await claim(tenant, FIRST_FEBRUARY) == [other]


async def test_the_machines_time_and_a_test_clocks_time_do_not_meet(tenant):
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="spring", now=tx.now)).id
        other_id = (await create_test_clock(tx, name="summer", now=tx.now)).id
    traveler = await make(tenant, 10, test_clock_id=clock_id)
    broken = await make(tenant, 1, test_clock_id=clock_id)
    ordinary = await make(tenant, 1)
    async with tenant.tx() as tx:
        await park_account(tx, account_id=broken.id, reason="no rate")
        assert await earliest_billing_day(tx, clock_id) == TENTH_FEBRUARY
        assert await earliest_billing_day(tx, other_id) is None
    assert await claim(tenant, TENTH_FEBRUARY) == [ordinary]
    assert await claim(tenant, TENTH_FEBRUARY, clock_id=other_id) == []
    assert await claim(tenant, TENTH_FEBRUARY, clock_id=clock_id) == [traveler]


async def test_two_workers_share_the_accounts(tenant):
    made = [await make(tenant, 1) for _ in range(10)]
    both_have_claimed = asyncio.Barrier(2)

    async def work() -> list[Account]:
        async with tenant.tx(FIRST_FEBRUARY) as tx:
            claimed = await claim_accounts_to_invoice(
                tx, as_of=FIRST_FEBRUARY, test_clock_id=None, limit=5
            )
            await both_have_claimed.wait()
            await advance_billing_days(tx, claimed, now=FIRST_FEBRUARY)
        return claimed

    one, other = await asyncio.wait_for(asyncio.gather(work(), work()), timeout=20)
    assert (len(one), len(other)) == (5, 5)
    assert {account.id for account in one + other} == {account.id for account in made}
    assert await claim(tenant, FIRST_FEBRUARY) == []


async def test_another_tenants_billing_day_is_invisible(tenant, other_tenant):
    made = await make(tenant, 1)
    assert await claim(other_tenant, FIRST_FEBRUARY) == []
    async with other_tenant.tx() as tx:
        await advance_billing_days(tx, [made], now=FIRST_FEBRUARY)
    assert await claim(tenant, FIRST_FEBRUARY) == [made]
