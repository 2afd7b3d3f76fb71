"""Do the log and the deliveries stay quick to read, however long they are?"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.webhooks.model import DeliveryState, EventQuery
from billwright.features.webhooks.sql.reads import (
    due_deliveries,
    endpoints_with_due_deliveries,
    is_anything_new,
    list_attempts,
    list_deliveries,
)
from billwright.features.webhooks.sql.reads_events import (
    events_between,
    last_position,
    position_before,
    read_events,
)
from billwright.features.webhooks.sql.writes import cancel_deliveries, forget_deliveries
from billwright.kernel.ids import new_id
from tests.features.webhooks.listening import ScriptedSender, an_endpoint, dispatch, happen


class Explaining:
    """A transaction that shows the plans of what it is asked, and finds nothing."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.now, self.plans = tx, tx.tenant_id, tx.now, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plans.append("\n".join(row[0] for row in rows))
        return []

    async def fetch_row(self, sql: str, *values: object) -> Any:
        return next(iter(await self.fetch(sql, *values)), None)

    async def execute(self, sql: str, *values: object) -> int:
        return len(await self.fetch(sql, *values))

    fetch_value = fetch_row


LOG = {"after": 5, "limit": 20}
READS = {
    "log": (lambda tx, _one: read_events(tx, EventQuery(**LOG), until=99), "event_position"),
    "by_type": (
        lambda tx, _one: read_events(tx, EventQuery(**LOG, types=("plan.archived",)), until=99),
        "event_position",
    ),
    "by_account": (
        lambda tx, _one: read_events(tx, EventQuery(**LOG, account_id=uuid4()), until=99),
        "event_of_account",
    ),
    "by_subject": (
        lambda tx, _one: read_events(tx, EventQuery(**LOG, subject_id=uuid4()), until=99),
        "event_tenant_id_subject_id_id_idx",
    ),
    "between": (lambda tx, _one: events_between(tx, after=5, until=99, limit=9), "event_position"),
    "last": (lambda tx, _one: last_position(tx), "event_position"),
    "before": (lambda tx, _one: position_before(tx, new_id()), "event_pkey"),
    "new": (lambda tx, _one: is_anything_new(tx), "event_position"),
    "due": (lambda tx, one: due_deliveries(tx, one, limit=20), "webhook_delivery_due"),
    "turn": (lambda tx, one: due_deliveries(tx, one, limit=20), "webhook_delivery_turn"),
    "endpoints": (lambda tx, _one: endpoints_with_due_deliveries(tx), "webhook_delivery_due"),
    "deliveries": (
        lambda tx, _one: list_deliveries(tx, uuid4(), before=None, limit=20),
        "webhook_delivery_pkey",
    ),
    "by_state": (
        lambda tx, one: list_deliveries(tx, one, before=None, limit=20, state=DeliveryState.FAILED),
        "webhook_delivery_by_state",
    ),
    "attempts": (
        lambda tx, _one: list_attempts(tx, before=None, limit=20, endpoint_id=uuid4()),
        "webhook_attempt_tenant_id_endpoint_id_id_idx",
    ),
    "of_event": (
        lambda tx, _one: list_attempts(tx, before=None, limit=20, event_id=uuid4()),
        "webhook_attempt_tenant_id_event_id_id_idx",
    ),
    "canceled": (cancel_deliveries, "webhook_delivery_"),
    "forgotten": (
        lambda tx, _one: forget_deliveries(tx, before=uuid4(), limit=100),
        r"webhook_delivery_tenant_id_event_id_idx[\s\S]*webhook_attempt_pkey",
    ),
}


@pytest.mark.parametrize("read", READS)
async def test_each_query_has_its_index(tenant, long_log, read):
    ask, index = READS[read]
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ask(explaining, long_log)
    plan = "\n".join(explaining.plans)
    assert re.search(index, plan), plan
    assert "Seq Scan" not in plan, plan
    assert "Index Cond" in plan, plan


@pytest.fixture
async def long_log(tenant, migrated_database):
    """Two thousand events about a hundred things, sent to an endpoint and half of them pending."""
    endpoint = await an_endpoint(tenant)
    await happen(tenant, "first")
    await dispatch(tenant, ScriptedSender())
    connection = await asyncpg.connect(migrated_database)
    try:
        await connection.execute(
            """insert into event (tenant_id, id, type, version, subject_type, subject_id, account_id,
                   actor_kind, actor_name, cause, occurred_at, data)
               select tenant_id, gen_random_uuid(), type, version, subject_type, s.id, a.id, actor_kind,
                   actor_name, cause, occurred_at, data
               from event, (select gen_random_uuid() as id from generate_series(1, 100)) s,
                   (select gen_random_uuid() as id from generate_series(1, 20)) a
               where type = 'plan.archived';
               insert into webhook_delivery (tenant_id, endpoint_id, event_id, event_type, subject_id,
                   position, state, attempts, next_attempt_at, created_at, ended_at)
               select e.tenant_id, w.id, e.id, e.type, e.subject_id, e.position,
                   case e.position % 2 when 0 then 'pending' else 'delivered' end, 0,
                   case e.position % 2 when 0 then w.created_at end, w.created_at,
                   case e.position % 2 when 1 then w.created_at end
               from event e, webhook_endpoint w where e.account_id is not null;
               insert into webhook_attempt (tenant_id, id, endpoint_id, event_id, event_type, number,
                   sent_at, duration_ms, answer)
               select tenant_id, gen_random_uuid(), endpoint_id, event_id, event_type, 1,
                   created_at, 5, ''
               from webhook_delivery where state = 'delivered';
               analyze event, webhook_endpoint, webhook_delivery, webhook_attempt"""
        )
    finally:
        await connection.close()
    return endpoint.id
