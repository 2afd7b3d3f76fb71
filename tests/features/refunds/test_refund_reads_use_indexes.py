"""Does what is asked of one payment's refunds leave those of all others alone?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.invoicing.sql.reads_credit import promised_refunds, refunding_notes
from billwright.features.payments.operations.note_refunds import note_refunds
from billwright.features.payments.rules.reconciliation import Window
from billwright.features.payments.sql.reads import payment_of_reference
from billwright.features.refunds.sql.reads import (
    dispute_of_reference,
    money_of_invoices,
    refund_of_key,
    refund_of_reference,
    refund_request,
    refunded_for_notes,
    refunded_of_payments,
)
from billwright.features.refunds.sql.reads_reconciliation import (
    disputes_known_as,
    given_back,
    refunds_known_as,
)
from billwright.features.refunds.sql.writes import claim_due_refunds, claim_open_disputes
from tests.conftest import NOON, Tenant
from tests.features.refunds.refunding import Bank, Till
from tests.features.refunds.test_refund_rules import a_refund
from tests.features.refunds.test_refunds import a_note

# Many payments with an attempt, a refund and a dispute each, made of the one that is there.
COPIES = """
    with copied as (
        insert into payment (tenant_id, id, account_id, invoice_id, provider, method, state, currency,
            amount_minor, reference, unapplied_minor, captured_minor, version, created_at, updated_at)
        select p.tenant_id, gen_random_uuid(), p.account_id, p.invoice_id, p.provider, p.method, p.state,
            p.currency, p.amount_minor, p.reference, 0, p.captured_minor, 1, p.created_at, p.updated_at
        from payment p, generate_series(1, 400) returning *
    ), tried as (
        insert into payment_attempt (tenant_id, id, payment_id, invoice_id, state, provider,
            provider_key, provider_reference, page_reference, created_at, updated_at)
        select tenant_id, gen_random_uuid(), id, invoice_id, 'succeeded', provider, id::text, id::text,
            id::text, created_at, updated_at
        from copied
    ), disputed as (
        insert into dispute (tenant_id, id, account_id, payment_id, provider, provider_reference, state,
            currency, amount_minor, reason, version, created_at, updated_at)
        select tenant_id, gen_random_uuid(), account_id, id, provider, id::text, 'won', currency, 1, '',
            1, created_at, updated_at
        from copied
    )
    insert into refund (tenant_id, id, account_id, payment_id, credit_note_id, origin, provider,
        provider_key, provider_reference, state, currency, amount_minor, reason, next_check_at, version,
        created_at, updated_at)
    select c.tenant_id, gen_random_uuid(), c.account_id, c.id, r.credit_note_id, 'requested', c.provider,
        c.id::text, c.id::text, 'unknown', c.currency, 1, '', c.created_at, 1, c.created_at, c.updated_at
    from copied c, refund r
"""


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plans = tx, tx.tenant_id, []
        self.now, self.machine_now = tx.now, tx.machine_now

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plans += [row[0] for row in rows]
        return []

    async def fetch_row(self, sql: str, *values: object) -> None:
        self.plans += [row[0] for row in await self.tx.fetch(f"explain {sql}", *values)]

    fetch_value = fetch_row

    async def execute(self, sql: str, *values: object) -> int:
        await self.fetch(sql, *values)
        return 0


WINDOW = Window(NOON - timedelta(hours=1), NOON)
ASKED = {
    "refund_of_key": (
        ["provider_key"],
        lambda tx: refund_of_key(tx, "refund:1"),
    ),
    "refund_of_reference": (
        ["provider_reference"],
        lambda tx: refund_of_reference(tx, provider="bank", reference="re-1"),
    ),
    "refunded_for_notes": (
        ["credit_note_id"],
        lambda tx: refunded_for_notes(tx, [uuid4()]),
    ),
    "money_of_invoices": (
        ["invoice_id", r"payment_id = p\.id", r"payment_id = p\.id"],
        lambda tx: money_of_invoices(tx, [uuid4()]),
    ),
    "payment_of_reference": (
        ["provider_reference", "page_reference"],
        lambda tx: payment_of_reference(tx, provider="bank", reference="pay-1"),
    ),
    "refund_request": (
        ["payment_id"],
        lambda tx: refund_request(tx, a_refund()),
    ),
    "dispute_of_reference": (
        ["provider_reference"],
        lambda tx: dispute_of_reference(tx, provider="bank", reference="dp-1"),
    ),
    "promised_refunds": (
        ["corrects_invoice_id"],
        lambda tx: promised_refunds(tx, [uuid4()]),
    ),
    "refunding_notes": (
        ["corrects_invoice_id"],
        lambda tx: refunding_notes(tx, uuid4()),
    ),
    "refunded_of_payments": (
        ["payment_id"],
        lambda tx: refunded_of_payments(tx, [uuid4()]),
    ),
    "note_refunds": (
        [r"id = u\.id"],
        lambda tx: note_refunds(tx, {uuid4(): 100}),
    ),
    "refunds_known_as": (
        ["provider_key", "provider_reference"],
        lambda tx: refunds_known_as(tx, "bank", keys=["refund:1"], references=["re-1"]),
    ),
    "given_back": (
        ["created_at"],
        lambda tx: given_back(tx, "bank", window=WINDOW, after=None, limit=100),
    ),
    "disputes_known_as": (
        ["provider_reference"],
        lambda tx: disputes_known_as(tx, "bank", references=["dp-1"]),
    ),
    "claim_open_disputes": (
        ["provider"],
        lambda tx: claim_open_disputes(tx, "bank", asked_before=NOON, limit=100),
    ),
    "claim_due_refunds": (
        ["next_check_at"],
        lambda tx: claim_due_refunds(tx, as_of=NOON, limit=20),
    ),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_they_are_found_by_what_is_asked_for(
    tenant: Tenant, migrated_database: str, asked: str
):
    till = Till(tenant, Bank())
    payment = await till.a_payment(10000)
    await a_note(till, payment.invoice_id, 100)
    connection = await asyncpg.connect(migrated_database)
    try:
        await connection.execute(COPIES)
        await connection.execute("analyze payment, payment_attempt, refund, dispute, invoice")
    finally:
        await connection.close()
    columns, ask = ASKED[asked]
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ask(explaining)
    plan = "\n".join(explaining.plans)
    for column in set(columns):
        found = re.findall(rf"Index Cond: .*{column}", plan)
        assert len(found) >= columns.count(column), plan
