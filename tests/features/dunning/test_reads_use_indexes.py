"""Do commits that are about nothing pursued pay next to nothing for it, however much is pursued?"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.dunning.operations.tell_cases import (
    attempts_are_under_way,
    methods_have_changed,
    money_has_moved,
    subscriptions_have_begun,
    subscriptions_have_ended,
)
from billwright.features.dunning.rules.case import CaseState
from billwright.features.dunning.sql.reads import (
    cases_by_id,
    cases_of_accounts,
    cases_of_invoices,
    debtors_of,
    due_cases,
    earliest_due,
    history_of_case,
    list_cases,
)
from billwright.features.dunning.sql.reads_policies import policy_for
from billwright.features.dunning.sql.writes import claim_due_cases, lock_policy
from billwright.runtime.clock import FixedClock
from tests.conftest import NOON, Tenant
from tests.features.dunning.pursuing import DUE, a_pursuit

# What differs in the copy for customer `a` of a row `t`; every other column is the original's.
_COPIES = {
    "invoice": """'id', a.id, 'account_id', a.id, 'sequence', a.number + 1,
        'number', 'X' || a.number""",
    "dunning_case": """'id', a.id, 'account_id', a.id, 'invoice_id', a.id,
        'due_at', t.due_at + a.number * interval '1 hour'""",
}


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

    fetch_value = fetch_row


READS = {
    "case_by_id": (lambda tx: cases_by_id(tx, [uuid4()]), r"dunning_case_pkey .*"),
    "by_account": (
        lambda tx: list_cases(tx, before=None, limit=20, account_id=uuid4()),
        r"dunning_case_(tenant_id_account_id_idx|pkey)",
    ),
    "by_state": (
        lambda tx: list_cases(tx, before=None, limit=20, state=CaseState.OPEN),
        "dunning_case_pkey",
    ),
    "of_invoices": (lambda tx: cases_of_invoices(tx, [uuid4()]), "dunning_case_one_per_debt"),
    "of_accounts": (
        lambda tx: cases_of_accounts(tx, [uuid4()]),
        "dunning_case_tenant_id_account_id_idx",
    ),
    "debtors": (lambda tx: debtors_of(tx, uuid4()), "charge_.*invoice"),
    "earliest": (lambda tx: earliest_due(tx, uuid4()), "dunning_case_"),
    "due": (
        lambda tx: due_cases(tx, as_of=NOON, test_clock_id=None, limit=20),
        "dunning_case_due",
    ),
    "claimed": (
        lambda tx: claim_due_cases(tx, as_of=NOON, test_clock_id=None, limit=20),
        "dunning_case_due",
    ),
    "history": (lambda tx: history_of_case(tx, uuid4(), limit=100), "event_tenant_id_subject_id"),
    "policy": (lambda tx: policy_for(tx, uuid4()), "dunning_policy_tenant_id_plan_id"),
    "own_policy": (lambda tx: lock_policy(tx, None), "dunning_policy_tenant_id_plan_id"),
}


async def a_crowd_of_debts(tenant: Tenant, clock: FixedClock, dsn: str) -> None:
    """A thousand customers, each with an invoice that is pursued."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            """insert into account select (jsonb_populate_record(a, jsonb_build_object(
                   'id', gen_random_uuid(), 'number', a.number + n))).*
               from account a, generate_series(1, 1000) n"""
        )
        for table, changes in _COPIES.items():
            columns = await connection.fetchval(
                """select string_agg(quote_ident(attname), ', ') from pg_attribute
                   where attrelid = $1::regclass and attnum > 0 and not attisdropped
                       and attgenerated = ''""",
                table,
            )
            await connection.execute(
                f"""insert into {table} ({columns}) select {columns} from (
                        select (jsonb_populate_record(t, jsonb_build_object({changes}))).*
                        from {table} t, account a where t.account_id <> a.id) copies"""
            )
        await connection.execute("analyze account; analyze invoice; analyze dunning_case")
    finally:
        await connection.close()


async def test_each_query_has_its_index(tenant, clock, migrated_database):
    await a_crowd_of_debts(tenant, clock, migrated_database)
    async with tenant.tx() as tx:
        for read, (ask, index) in READS.items():
            explaining = Explaining(tx)
            await ask(explaining)
            [plan] = explaining.plans
            assert re.search(index, plan), (read, plan)
            assert "Index Cond" in plan, (read, plan)
            assert "Seq Scan" not in plan, (read, plan)


TOLD = {
    "paid": money_has_moved,
    "under way": attempts_are_under_way,
    "methods": methods_have_changed,
    "canceled": subscriptions_have_ended,
    "begun": lambda tx, ids: subscriptions_have_begun(tx, {one: one for one in ids}),
}


@pytest.mark.parametrize("told", TOLD)
async def test_a_thousand_facts_about_nothing_pursued_cost_one_query(tenant, told):
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await TOLD[told](explaining, [uuid4() for _ in range(1000)])
    assert len(explaining.plans) == 1
