"""Is what an event is about found without reading everything?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from billwright.features.callbacks.sql.reads import is_overtaken
from billwright.features.payments.sql.reads import attempt_of_event
from tests.conftest import NOON

EXPECTED = {
    "attempt_of_event": {
        "provider_key = 'attempt:1'",
        r"provider_reference = ANY",
        r"page_reference = ANY",
    },
    "is_overtaken": {"reference = ANY"},
}
ASKED = {
    "attempt_of_event": lambda tx: attempt_of_event(
        tx, provider="sandbox", provider_key="attempt:1", references=["a", "b"]
    ),
    "is_overtaken": lambda tx: is_overtaken(
        tx, provider="sandbox", references=["a", "b"], happened_at=NOON - timedelta(days=1)
    ),
}


class Explaining:
    """A transaction that shows the plan of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plan = tx, tx.tenant_id, ""

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plan = "\n".join(row[0] for row in rows)
        return []

    fetch_value = fetch


# Invoices and payments are left out, which only a superuser may do.
CROWD = """
    set session_replication_role = replica;
    insert into payment_attempt (tenant_id, id, payment_id, invoice_id, state, provider, provider_key,
        provider_reference, page_reference, created_at, updated_at)
    select '{tenant}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'succeeded', 'sandbox',
        'attempt:' || n, 'payment_' || n, 'page_' || n, now(), now()
    from generate_series(1, 5000) n;
    insert into provider_callback (tenant_id, id, provider, event_id, type, kind, reference, body_sealed,
        state, attempts, happened_at, received_at)
    select '{tenant}', gen_random_uuid(), 'sandbox', 'event-' || n, 'changed', 'method', 'method_' || n,
        '', 'handled', 0, now(), now()
    from generate_series(1, 5000) n;
    analyze payment_attempt; analyze provider_callback"""


@pytest.mark.parametrize("asked", ASKED)
async def test_what_an_event_is_about_is_found_by_an_index(
    tenant, postgres_server, migrated_database, asked
):
    name = migrated_database.rpartition("/")[2]
    superuser = await asyncpg.connect(postgres_server.superuser_dsn_for(name))
    try:
        await superuser.execute(CROWD.format(tenant=tenant.id))
    finally:
        await superuser.close()
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ASKED[asked](explaining)
    conditions = re.findall(r"Index Cond: (.*)", explaining.plan)
    for expected in EXPECTED[asked]:
        assert any(re.search(expected, one) for one in conditions), explaining.plan
    assert "Seq Scan" not in explaining.plan
