"""Does each filter of the large lists have an index, also among very many rows?"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from billwright.features.accounts.model import AccountStatus
from billwright.features.accounts.sql.reads import list_accounts
from billwright.features.accounts.sql.reads_contacts import billing_contacts, list_contacts
from billwright.features.audit.model import AuditQuery
from billwright.features.audit.sql.reads import list_entries
from billwright.features.catalog.sql.reads import list_plans
from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.sql.reads import list_invoices, states_of_documents
from billwright.features.notifications.sql.reads import RequestQuery, list_requests
from billwright.features.payments.sql.reads import has_live_attempts, list_payments
from billwright.features.refunds.sql.reads import list_refunds
from billwright.features.subscriptions.model import SubscriptionState
from billwright.features.subscriptions.sql.reads import (
    has_running_subscriptions,
    list_subscriptions,
    next_action_of,
)
from tests.conftest import NOON
from tests.faults.crowd import a_crowd

DAY = timedelta(days=1)
LONG_AGO = {"created_after": NOON - 99 * DAY, "created_before": NOON - 98 * DAY}
RARE = {"metadata": {"tier": "gold"}}
OLD = date(2020, 1, 1)
ASKED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "accounts by e-mail": (list_accounts, {"email": "nobody@rare.example"}, "account_by_email"),
    "accounts by external id": (list_accounts, {"external_id": "17"}, "account_external_id"),
    "closed accounts": (list_accounts, {"status": AccountStatus.CLOSED}, "account_closed"),
    "parked accounts": (list_accounts, {"parked": True}, "account_parked"),
    "accounts of a clock": (
        list_accounts,
        {"test_clock_id": uuid4()},
        "account_tenant_id_test_clock_id_idx",
    ),
    "accounts by creation": (list_accounts, LONG_AGO, "account_by_creation"),
    "accounts by metadata": (list_accounts, RARE, "account_metadata_pkey"),
    "plans by metadata": (list_plans, RARE, "plan_metadata_pkey"),
    "subscriptions by external id": (
        list_subscriptions,
        {"external_id": "17"},
        "subscription_external_id",
    ),
    "subscriptions of an account": (
        list_subscriptions,
        {"account_id": uuid4()},
        "subscription_tenant_id_account_id_id_key",
    ),
    "subscriptions to a plan": (
        list_subscriptions,
        {"plan_code": "plan-17"},
        "subscription_tenant_id_plan_version_id_idx",
    ),
    "subscriptions by creation": (list_subscriptions, LONG_AGO, "subscription_by_creation"),
    "subscriptions by metadata": (list_subscriptions, RARE, "subscription_metadata_pkey"),
    "unpaid subscriptions": (
        list_subscriptions,
        {"state": SubscriptionState.UNPAID},
        "subscription_in_question",
    ),
    "invoices by number": (list_invoices, {"number": "17"}, "invoice_tenant_id_number_key"),
    "invoices by creation": (list_invoices, LONG_AGO, "invoice_by_creation"),
    "invoices by issue": (list_invoices, {"issued_until": OLD}, "invoice_by_issue"),
    "invoices by due day": (list_invoices, {"due_until": OLD}, "invoice_by_due_day"),
    "drafts": (list_invoices, {"state": InvoiceState.DRAFT}, "invoice_unsettled"),
    "payments by creation": (list_payments, LONG_AGO, "payment_by_creation"),
    "refunds by creation": (list_refunds, LONG_AGO, "refund_by_creation"),
}
OF_AN_ACCOUNT = {
    "states_of_documents": (states_of_documents, "invoice_tenant_id_account_id_idx"),
    "has_running_subscriptions": (
        has_running_subscriptions,
        "subscription_tenant_id_account_id_id_key",
    ),
    "next_action_of": (next_action_of, "subscription_tenant_id_account_id_id_key"),
    "has_live_attempts": (has_live_attempts, "payment_tenant_id_account_id_idx"),
}


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plans = tx, tx.tenant_id, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        self.plans += [row[0] for row in await self.tx.fetch(f"explain {sql}", *values)]
        return await self.tx.fetch(sql, *values) if sql.startswith("select v.id") else []

    async def fetch_value(self, sql: str, *values: object) -> Any:
        rows = await self.fetch(sql, *values)
        return rows[0][0] if rows else None


# What the crowd does not bring: notes on everything, a contact each, money that came and went back, and
# a long tail of plans.
_MORE = (
    """insert into plan (tenant_id, id, code, name, description, status, metadata, created_at)
       select t.tenant_id, gen_random_uuid(), 'plan-' || n, 'Plan', '', 'active', '{}', now()
       from tenant t, generate_series(1, 500) n""",
    """insert into plan_version select (r.v).* from (
           select jsonb_populate_record(v, jsonb_build_object(
               'id', gen_random_uuid(), 'plan_id', p.id)) as v
           from plan_version v, plan p where p.code like 'plan-%') r""",
    """insert into account_metadata select tenant_id, 'tier', 'silver', id from account""",
    """insert into plan_metadata select tenant_id, 'tier', 'silver', id from plan""",
    """insert into subscription_metadata select tenant_id, 'tier', 'silver', id from subscription""",
    """insert into account_contact
       select tenant_id, gen_random_uuid(), id, 'Books', 'books@river.example', 'billing', null, 1,
           created_at, created_at from account""",
    """insert into payment (tenant_id, id, account_id, invoice_id, provider, method, state, currency,
           amount_minor, captured_minor, reference, unapplied_minor, version, created_at, updated_at)
       select tenant_id, id, account_id, id, 'manual', 'transfer', 'succeeded', 'EUR', 1, 1, '', 0, 1,
           created_at, created_at from invoice""",
    """insert into payment_attempt (tenant_id, id, payment_id, invoice_id, state, provider,
           provider_key, created_at, updated_at)
       select tenant_id, id, id, id, 'succeeded', 'manual', id, created_at, created_at from payment""",
    """insert into refund (tenant_id, id, account_id, payment_id, origin, provider, provider_key, state,
           currency, amount_minor, reason, version, created_at, updated_at)
       select tenant_id, id, account_id, id, 'requested', 'manual', id, 'succeeded', 'EUR', 1, '', 1,
           created_at, created_at from payment""",
    """insert into notification_request (tenant_id, id, type, version, account_id, recipient_role, locale,
           subject_type, subject_id, sequence, data, dedup_key, priority, state, attempts, occurred_at,
           expires_at)
       select tenant_id, gen_random_uuid(), 'invoice.finalized', 1, account_id, 'billing', 'en',
           'invoice', id, n, '{}', id || ':' || n, 0, 'delivered', 1, created_at, created_at
       from invoice, generate_series(1, 5) n""",
    """insert into audit_entry (tenant_id, id, action, subject_type, subject_id, actor_kind, actor_name,
           actor_id, cause, occurred_at, details, request_id)
       select tenant_id, gen_random_uuid(), 'invoice.action' || n, 'invoice', id, 'user', 'Ada', id,
           'test', created_at, '{}', id::text
       from invoice, generate_series(1, 20) n""",
    "update invoice set state = 'paid', paid_minor = total_minor where number not like '%7'",
    "analyze",
)


@pytest_asyncio.fixture
async def crowd(tenant, migrated_database):
    """Five hundred customers with a subscription and an invoice each, and statistics of them."""
    await a_crowd(tenant, 500)
    connection = await asyncpg.connect(migrated_database)
    try:
        for statement in _MORE:
            await connection.execute(statement)
    finally:
        await connection.close()
    return tenant


async def test_every_filter_of_a_large_list_has_its_index(crowd):
    missed = {}
    for what, (read, asked, index) in ASKED.items():
        async with crowd.tx() as tx:
            explaining = Explaining(tx)
            await read(explaining, before=None, limit=21, **asked)
        plan = "\n".join(explaining.plans)
        if not re.search(rf"(Scan using|Index Scan on|Scan Backward using) {index}\b", plan):
            missed[what] = plan
    assert not missed, "\n\n".join(f"{what}:\n{plan}" for what, plan in missed.items())


async def test_what_is_asked_of_one_account_looks_at_that_account(crowd):
    for what, (read, index) in OF_AN_ACCOUNT.items():
        async with crowd.tx() as tx:
            explaining = Explaining(tx)
            await read(explaining, uuid4())
        plan = "\n".join(explaining.plans)
        assert re.search(rf"(Scan using|Index Scan on) {index}\b", plan), (what, plan)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (RequestQuery(account_id=uuid4()), "notification_request_tenant_id_account_id_idx"),
        (
            RequestQuery(subject_id=uuid4()),
            "notification_request_tenant_id_subject_id_sequence_key",
        ),
    ],
)
async def test_messages_are_found_by_whom_and_what_they_are_about(crowd, asked, index):
    async with crowd.tx() as tx:
        explaining = Explaining(tx)
        await list_requests(explaining, asked, before=None, limit=21)
    plan = "\n".join(explaining.plans)
    assert re.search(rf"(Scan using|Index Scan on) {index}\b", plan), plan


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (AuditQuery(), "audit_entry_pkey"),
        (AuditQuery(since=NOON - DAY, until=NOON), "audit_entry_pkey"),
        (AuditQuery(action="user.lock"), "audit_entry_tenant_id_action_id_idx"),
        (AuditQuery(action="user."), "audit_entry_tenant_id_action_id_idx"),
        (AuditQuery(actor_id=uuid4()), "audit_entry_tenant_id_actor_id_id_idx"),
        (AuditQuery(actor_id=uuid4(), action="a."), "audit_entry_tenant_id_actor_id_id_idx"),
        (AuditQuery(subject_id=uuid4()), "audit_entry_tenant_id_subject_id_id_idx"),
        (AuditQuery(request_id="r-1"), "audit_entry_tenant_id_request_id_id_idx"),
    ],
)
async def test_audit_entries_are_found_by_each_filter(crowd, asked, index):
    async with crowd.tx() as tx:
        explaining = Explaining(tx)
        await list_entries(explaining, asked, before=None, limit=21)
    plan = "\n".join(explaining.plans)
    assert re.search(rf"(Scan using|Index Scan on|Scan Backward using) {index}\b", plan), plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("role", [None, "billing"])
async def test_contacts_are_found_by_their_account(crowd, role):
    async with crowd.tx() as tx:
        explaining = Explaining(tx)
        await list_contacts(explaining, uuid4(), limit=21, role=role)
        await billing_contacts(explaining, [uuid4()])
    plan = "\n".join(explaining.plans)
    assert plan.count("Index Cond") >= 2
    assert len(re.findall(r"Index Cond: .*account_id", plan)) == 2, plan
