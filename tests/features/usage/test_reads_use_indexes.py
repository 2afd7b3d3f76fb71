"""Does what is asked of one subscription's usage leave that of all others alone?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.subscriptions.sql.reads_usage import (
    billed_usage_within,
    list_billed_usage,
    usage_places,
    usage_places_of_accounts,
    usage_places_of_subjects,
)
from billwright.features.usage.model import (
    Aggregation,
    MeterDefinition,
    MeterVersion,
    TotalKey,
    UsageWindow,
)
from billwright.features.usage.sql import reads
from billwright.features.usage.sql.reads import recorded_events, used_quantities
from billwright.features.usage.sql.reads_totals import subscriptions_of, usage_totals
from tests.conftest import NOON
from tests.faults.crowd import a_crowd


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.now, self.plans = tx, tx.tenant_id, tx.now, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        self.plans += [row[0] for row in await self.tx.fetch(f"explain {sql}", *values)]
        return []


def window(**changes: Any) -> UsageWindow:
    values = {"key": 1, "subscription_id": uuid4(), "meter": "m", "start": NOON, "end": NOON}
    return UsageWindow(**{**values, "version": 0, **changes})


EVENTS = r"Index (Only )?Scan using usage_event_tenant_id_subscription_id_meter_occurred_at_idx"
WINDOWS = r"using usage_window_tenant_id_subscription_id_\w+"
ASKED = {
    "used": (EVENTS, lambda tx: used_quantities(tx, [window()], cutoff=NOON)),
    "corrected": (
        r"usage_event_corrected_once on usage_event c",
        lambda tx: used_quantities(tx, [window()], cutoff=None),
    ),
    "totals": (
        r"usage_total_pkey",
        lambda tx: usage_totals(tx, [TotalKey(uuid4(), "m"), TotalKey(uuid4(), "m", uuid4())]),
    ),
    "totals_of": (r"usage_total_pkey", lambda tx: subscriptions_of(tx, [TotalKey(uuid4(), "m")])),
    "recorded": (r"usage_event_pkey", lambda tx: recorded_events(tx, [("api", "1")])),
    "places": (r"subscription_pkey", lambda tx: usage_places(tx, [uuid4()])),
    "places_windows": (WINDOWS, lambda tx: usage_places(tx, [uuid4()])),
    "accounts": (
        r"using subscription\w*account_id\w*",
        lambda tx: usage_places_of_accounts(tx, [uuid4()]),
    ),
    "subjects": (
        r"using subscription\w*external_id\w*",
        lambda tx: usage_places_of_subjects(tx, ["crm"]),
    ),
    "within": (WINDOWS, lambda tx: billed_usage_within(tx, {uuid4(): (NOON, NOON)})),
    "list": (
        r"usage_window_tenant_id_subscription_id_ends_at_id_idx",
        lambda tx: list_billed_usage(tx, uuid4(), before=None, limit=5),
    ),
}


async def explained(tenant, dsn: str, ask: Any) -> str:
    await a_crowd(tenant, 300)
    connection = await asyncpg.connect(dsn)
    try:
        await _fill(connection, tenant.id)
        await connection.execute("analyze")
    finally:
        await connection.close()
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ask(explaining)
    return "\n".join(explaining.plans)


async def _fill(connection: Any, tenant_id: Any) -> None:
    """Two hundred events and some windows of each subscription; every tenth event is corrected."""
    await connection.execute(
        """insert into usage_event
           select s.tenant_id, 'api', s.id || '-' || n, s.account_id, s.id, 'm', 1,
               $2::timestamptz + n * interval '1 hour', $2, null, null, null
           from subscription s, generate_series(1, 200) n where s.tenant_id = $1""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into usage_event
           select tenant_id, 'mend', event_id, account_id, subscription_id, meter, null, occurred_at,
               received_at, null, source, event_id
           from usage_event where tenant_id = $1 and event_id like '%0'""",
        tenant_id,
    )
    await connection.execute(
        """insert into usage_total
           select tenant_id, account_id, meter, subscription_id, 1, 1, 1, now(), true
           from usage_event where tenant_id = $1 group by 1, 2, 3, 4""",
        tenant_id,
    )
    await connection.execute(
        """insert into usage_window
           select s.tenant_id, gen_random_uuid(), s.id, gen_random_uuid(), 'm', 0,
               $2::timestamptz + n * interval '1 day', $2::timestamptz + (n + 1) * interval '1 day',
               $2, 1, 1, null, 1, '{}', 0
           from subscription s, generate_series(1, 20) n where s.tenant_id = $1""",
        tenant_id,
        NOON,
    )


@pytest.mark.parametrize("asked", ASKED)
async def test_usage_is_found_by_its_subscription(tenant, migrated_database, asked):
    index, ask = ASKED[asked]
    plan = await explained(tenant, migrated_database, ask)
    assert re.search(index, plan), plan
    assert "Seq Scan" not in plan, plan


async def test_what_is_held_over_time_is_found_by_its_subscription(
    tenant, migrated_database, monkeypatch
):
    definition = MeterDefinition(
        event_type="m", aggregation=Aggregation.WEIGHTED_SUM, carries_over=True
    )

    async def known(_tx: Any, _wanted: Any) -> dict[Any, MeterVersion]:
        return {("m", None): MeterVersion(number=1, definition=definition)}

    monkeypatch.setattr(reads, "meter_versions", known)
    held = window(version=None, end=NOON + timedelta(days=1))
    plan = await explained(
        tenant, migrated_database, lambda tx: used_quantities(tx, [held], cutoff=None)
    )
    assert re.search(EVENTS, plan), plan
    assert "Seq Scan" not in plan, plan
