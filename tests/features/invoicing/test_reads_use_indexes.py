"""Does what a command asks of a subscription's charges leave the charges of all others alone?"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.invoicing.sql.reads import (
    latest_reversals,
    live_charges,
    one_time_components,
    open_invoices_of,
)
from tests.conftest import NOON
from tests.faults.crowd import a_crowd


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plans = tx, tx.tenant_id, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plans += [row[0] for row in rows]
        return []


ASKED = {
    "live_charges": lambda tx: live_charges(tx, [uuid4()], at=NOON),
    "latest_reversals": lambda tx: latest_reversals(tx, [uuid4()]),
    "one_time_components": lambda tx: one_time_components(tx, [uuid4()]),
    "open_invoices_of": lambda tx: open_invoices_of(tx, uuid4()),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_charges_are_found_by_their_subscription(tenant, migrated_database, asked):
    await a_crowd(tenant, 500)
    await analyze(migrated_database)
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ASKED[asked](explaining)
    plan = "\n".join(explaining.plans)
    assert re.search(r"(charge_identity|charge_reversed) on charge", plan), plan
    assert "Index Cond" in plan
    assert re.search(r"Index Cond: .*subscription_id", plan), plan


async def analyze(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("analyze charge; analyze invoice")
    finally:
        await connection.close()
