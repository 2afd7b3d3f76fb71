"""Are the numbers that operators watch those of the database, and seldom asked for?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.entrypoints.numbers import StoredNumbers
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.invoicing.sql.reads_counts import count_unpaid_invoices
from billwright.features.subscriptions.sql.reads_counts import count_active_subscriptions
from billwright.runtime.telemetry.metrics import Metrics
from tests.conftest import NOON, Tenant
from tests.features.billing import a_plan, a_subscription, an_account


async def _sell(tenant: Tenant) -> None:
    """Two subscriptions whose invoices wait to be paid, and a third one on a test clock."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        for name in ("Riverbank Books", "Harbor Coffee"):
            await a_subscription(tx, await an_account(tx, name))
    async with tenant.tx() as tx:
        clock = await create_test_clock(tx, name="A year", now=NOON)
        await a_subscription(tx, await an_account(tx, "Nobody", test_clock_id=clock.id))


@pytest.mark.parametrize(
    ("days", "overdue"), [(0, 0), (14, 0), (15, 2)], ids=["at once", "last day", "day after"]
)
async def test_invoices_are_overdue_from_the_day_after_their_last(
    tenant: Tenant, other_tenant: Tenant, days: int, overdue: int
):
    await _sell(tenant)
    counted = await count_unpaid_invoices(
        tenant.database, tenants=10, at=NOON + timedelta(days=days)
    )
    assert (counted["default"].unpaid, counted["default"].overdue) == (2, overdue)
    assert (counted["other"].unpaid, counted["other"].overdue) == (0, 0)


async def test_only_so_many_tenants_are_counted(tenant: Tenant, other_tenant: Tenant):
    await _sell(tenant)
    assert await count_active_subscriptions(tenant.database, tenants=1) == {"default": 2}
    assert (await count_unpaid_invoices(tenant.database, tenants=1, at=NOON)).keys() == {"default"}


async def test_numbers_are_counted_once_a_minute(tenant: Tenant):
    metrics = Metrics()
    stored = StoredNumbers(tenant.database, metrics)
    await stored.refresh()
    await _sell(tenant)
    await stored.refresh()
    shown = 'billwright_subscriptions_active{tenant_id="default"}'
    assert f"{shown} 0.0" in metrics.render().decode()
    later = StoredNumbers(tenant.database, metrics)
    await later.refresh()
    assert f"{shown} 2.0" in metrics.render().decode()
    assert 'billwright_invoices_open{tenant_id="default"} 2.0' in metrics.render().decode()
