"""Does comparing books read only what it is about, however much else is booked?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from billwright.features.payments.rules.reconciliation import Window
from billwright.features.payments.sql.reads import methods_in_use
from billwright.features.payments.sql.reads_reconciliation import (
    booked_as,
    booked_as_paid,
    known_payments,
    last_compared_until,
    list_reconciliations,
)
from billwright.features.payments.sql.reads_reviews import is_under_review, list_review_tasks
from tests.conftest import NOON

DAY = Window(NOON - timedelta(days=1), NOON)


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plans = tx, tx.tenant_id, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plans += [row[0] for row in rows]
        return []

    fetch_value = fetch


_PAYMENTS = """
    insert into payment (tenant_id, id, account_id, invoice_id, provider, method, state, currency,
        amount_minor, reference, captured_minor, unapplied_minor, version, created_at, updated_at)
    select $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'stripe', 'card', 'succeeded',
        'EUR', 100, n, 100, 0, 1, at, at
    from (select n, $2::timestamptz - n * interval '14 minutes' as at
          from generate_series(1, 1000) as n) as numbered
"""
_ATTEMPTS = """
    insert into payment_attempt (tenant_id, id, payment_id, invoice_id, state, provider,
        provider_key, provider_reference, created_at, updated_at)
    select tenant_id, gen_random_uuid(), id, invoice_id, state, provider, 'attempt:' || reference,
        'pi_' || reference, created_at, created_at
    from payment where tenant_id = $1
"""


async def a_crowd_of_attempts(dsn: str, tenant_id: UUID) -> None:
    """A thousand attempts of ten days, of payments that nobody looks at."""
    connection = await asyncpg.connect(dsn)
    try:
        keys = await connection.fetch(
            """select conrelid::regclass, conname from pg_constraint where contype = 'f'
                   and conrelid in ('payment'::regclass, 'payment_attempt'::regclass)"""
        )
        for table, key in keys:
            await connection.execute(f"alter table {table} drop constraint {key}")
        await connection.execute(_PAYMENTS, tenant_id, NOON)
        await connection.execute(_ATTEMPTS, tenant_id)
        await connection.execute("analyze payment; analyze payment_attempt")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("asked", "found_by"),
    [
        (
            lambda tx: booked_as(tx, "stripe", keys=["attempt:1"], references=["pi_1"]),
            ["provider_key", "provider_reference"],
        ),
        (
            lambda tx: booked_as_paid(tx, "stripe", window=DAY, after=None, limit=100),
            ["created_at"],
        ),
        (
            lambda tx: known_payments(tx, "stripe", references=["pi_1"]),
            ["provider_reference", "page_reference"],
        ),
        (lambda tx: methods_in_use(tx, [uuid4()]), ["payment_method_id"]),
        (lambda tx: last_compared_until(tx, "stripe"), ["provider"]),
        (lambda tx: list_reconciliations(tx, before=None, limit=20), ["tenant_id"]),
        (lambda tx: list_review_tasks(tx, before=None, limit=20), ["tenant_id"]),
        (lambda tx: is_under_review(tx, "reconciliation:1"), ["dedup_key"]),
    ],
    ids=["matched", "paid", "known", "methods", "last run", "runs", "tasks", "open finding"],
)
async def test_what_is_asked_is_found_by_an_index(tenant, migrated_database, asked, found_by):
    await a_crowd_of_attempts(migrated_database, tenant.id)
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await asked(explaining)
    plan = "\n".join(explaining.plans)
    assert "Seq Scan" not in plan, plan
    for column in found_by:
        assert re.search(rf"Index Cond: .*\b{column}\b", plan), plan
