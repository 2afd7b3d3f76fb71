"""Is a payer told once, and in time, that a method ends?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.accounts.operations.change_account_status import (
    reopen_account,
    shut_account,
)
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.features.payment_methods.jobs import SWEEPS, announce_expiring_methods
from billwright.features.payment_methods.operations.refresh_method import refresh_method
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.rules.expiry import announced_from, last_announced
from tests.conftest import BOX, NOON, Tenant
from tests.features.payment_methods.methods import PROVIDER, a_card, a_customer, leave
from tests.features.payments.paying import events_of

ENDS = date(2026, 3, 31)
THIRTY_DAYS_BEFORE = datetime(2026, 3, 1, tzinfo=UTC)


@given(
    expires_on=st.dates(date(2020, 1, 1), date(2090, 1, 1)),
    offset=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
)
def test_the_sweep_finds_an_end_exactly_when_a_test_clock_stops_for_it(
    expires_on: date, offset: timedelta
):
    as_of = announced_from(expires_on) + offset
    assert (expires_on <= last_announced(as_of)) is (as_of >= announced_from(expires_on))


async def announced(tenant: Tenant) -> list[tuple[datetime, str, str]]:
    return [
        (event["occurred_at"], data["label"], data["expires_on"])
        for event in await events_of(tenant, "payment_method.expiring")
        for data in [json.loads(event["data"])]
    ]


async def test_the_default_is_announced_once_for_each_end(tenant: Tenant, other_tenant: Tenant):
    account = await a_customer(tenant)
    await leave(tenant, account.id, a_card(expires_on=ENDS))
    await leave(tenant, account.id, a_card("pm_second", expires_on=ENDS))  # not the default
    timeless = await a_customer(tenant, name="Bank account")
    await leave(tenant, timeless.id, a_card("pm_bank", expires_on=None))
    gone = await a_customer(tenant, name="Gone")
    removed = await leave(tenant, gone.id, a_card("pm_gone", expires_on=ENDS))
    async with tenant.tx() as tx:
        await remove_method(tx, removed)

    early = tenant.work(as_of=THIRTY_DAYS_BEFORE - timedelta(seconds=1))
    due = tenant.work(as_of=THIRTY_DAYS_BEFORE)
    assert await announce_expiring_methods(early) == 0
    assert await announce_expiring_methods(replace(due, tenant_id=other_tenant.id)) == 0
    assert await announce_expiring_methods(due) == 1
    assert await announce_expiring_methods(due) == 0
    renewed = a_card(expires_on=date(2026, 4, 30))
    async with tenant.tx() as tx:
        await refresh_method(tx, provider=PROVIDER, method=renewed, box=BOX)
    assert await announce_expiring_methods(due) == 0
    assert await announce_expiring_methods(tenant.work(as_of=datetime(2026, 5, 9, tzinfo=UTC))) == 1
    told = [ends for _, _, ends in await announced(tenant)]
    assert told == ["2026-03-31", "2026-04-30"]


async def test_an_account_on_a_test_clock_is_told_in_its_own_time(tenant: Tenant):
    async with tenant.tx() as tx:
        clock = await create_test_clock(tx, name="spring", now=NOON)
    account = await a_customer(tenant, test_clock_id=clock.id)
    await leave(tenant, account.id, a_card(expires_on=ENDS))
    far = tenant.work(as_of=datetime(2030, 1, 1, tzinfo=UTC))
    assert await announce_expiring_methods(far) == 0  # the real time is not the account's
    async with tenant.tx() as tx:
        await request_test_clock_advance(
            tx, test_clock_id=clock.id, target=datetime(2026, 6, 1, tzinfo=UTC)
        )
    work = replace(tenant.work(), sweeps=[one for one in SWEEPS if one.name.startswith("announce")])
    await advance_test_clock(work, {"test_clock_id": str(clock.id)})
    assert await announced(tenant) == [(THIRTY_DAYS_BEFORE, "Visa •••• 4242", "2026-03-31")]


async def test_a_closed_account_is_told_nothing_until_it_is_open_again(tenant: Tenant):
    account = await a_customer(tenant)
    await leave(tenant, account.id, a_card(expires_on=ENDS))
    async with tenant.tx() as tx:  # with its methods, as former versions closed it
        await shut_account(tx, await lock_account(tx, account.id), reason="Gone")
    due = tenant.work(as_of=THIRTY_DAYS_BEFORE)
    assert await announce_expiring_methods(due) == 0
    async with tenant.tx() as tx:
        await reopen_account(tx, account.id)
    assert await announce_expiring_methods(due) == 1
