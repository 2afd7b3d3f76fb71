"""How does a subscription begin, and when not?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from billwright.features.invoicing.sql.reads import list_invoices
from billwright.features.subscriptions.model import SubscriptionState
from billwright.features.subscriptions.operations.create_subscription import (
    CreateSubscription,
    create_subscription,
)
from billwright.features.subscriptions.sql.reads import (
    account_of,
    list_subscriptions,
    subscription_by_id,
)
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears


async def test_it_begins_now_with_its_first_period_and_invoice(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account, quantities={"seats": Decimal("2.5")})
    async with tenant.tx() as tx:
        read = await subscription_by_id(tx, started.subscription.id)
        assert await account_of(tx, read.id) == account.id
    assert read == started.subscription
    assert (read.reference, read.state, read.version) == (
        "SUB-000001",
        SubscriptionState.ACTIVE,
        1,
    )
    assert (read.period.start, read.period.end) == (
        clock.now(),
        datetime(2026, 2, 15, 12, 0, tzinfo=UTC),
    )
    assert read.next_action_at == read.period.end
    # 29.00 + 2.5 x 9.90 = 53.75; 19 % of it = 10.2125, so 10.21
    assert [invoice.total_minor for invoice in started.billed.documents] == [5375 + 1021]


async def test_it_is_told_by_event_and_audit(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = await a_subscription(tx, await an_account(tx))
    async with tenant.tx() as tx:
        events = await tx.fetch("select type from event order by id")
        audit = await tx.fetch(
            "select action from audit_entry where subject_id = $1 order by id",
            started.subscription.id,
        )
    assert [row["type"] for row in events] == [
        "plan.created",
        "account.created",
        "subscription.created",
        "subscription.started",
        "invoice.finalized",
    ]
    assert [row["action"] for row in audit] == ["subscription.create", "subscription.start"]


async def test_what_runs_in_arrears_is_not_owed_at_the_start(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx, components=(in_arrears("storage", "4"),))
        assert (await a_subscription(tx, await an_account(tx))).billed.documents == ()


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"account_id": uuid4()}, "account_unknown_here", "/account_id"),
        ({"plan_code": "nothing"}, "plan_unknown_here", "/plan_code"),
        ({"currency": "USD"}, "currency_not_sold", "/currency"),
        ({"currency": "EURO"}, "currency_unknown", None),
        ({"quantities": {"desks": Decimal(1)}}, "component_unknown", "/quantities/desks"),
        ({"external_id": "known"}, "subscription_external_id_taken", None),
    ],
)
async def test_a_wrong_one_is_refused_and_leaves_nothing(tenant, changes, code, pointer):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        await a_subscription(tx, account, external_id="known")
    command = CreateSubscription(**{"account_id": account.id, "plan_code": "team", **changes})
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await create_subscription(tx, command)
    assert refused.value.code == code
    assert [problem.pointer for problem in refused.value.problems] == ([pointer] if pointer else [])
    async with tenant.tx() as tx:
        assert len(await list_subscriptions(tx, before=None, limit=9)) == 1
        assert len(await list_invoices(tx, before=None, limit=9)) == 1


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("update account set status = 'closed'", "account_closed"),
        ("update plan set status = 'archived'", "plan_archived"),
    ],
)
async def test_closed_accounts_and_archived_plans_get_nothing_new(tenant, statement, code):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        await tx.execute(statement)
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await a_subscription(tx, account)
    assert (refused.value.code, refused.value.category) == (code, "conflict")


async def test_another_tenants_subscription_is_invisible_and_its_account_cannot_subscribe(
    tenant, other_tenant
):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account, external_id="order-1")
    async with other_tenant.tx() as tx:
        await a_plan(tx)
        assert await list_subscriptions(tx, before=None, limit=9) == []
        for look in (subscription_by_id, account_of):
            with pytest.raises(Refusal) as refused:
                await look(tx, started.subscription.id)
            assert refused.value.code == "subscription_unknown"
        with pytest.raises(Refusal) as refused:
            await a_subscription(tx, account)
        assert refused.value.code == "account_unknown_here"
        own = await a_subscription(tx, await an_account(tx), external_id="order-1")
    assert own.subscription.number == 1


async def test_they_are_listed_by_account_and_state(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        first, second = await an_account(tx), await an_account(tx)
        made = [
            (await a_subscription(tx, account)).subscription for account in (first, second, first)
        ]
        page = await list_subscriptions(tx, before=None, limit=2)
        rest = await list_subscriptions(tx, before=page[-1].id, limit=2)
        own = await list_subscriptions(tx, before=None, limit=9, account_id=first.id)
        ended = await list_subscriptions(tx, before=None, limit=9, state=SubscriptionState.CANCELED)
    assert page + rest == made[::-1]
    assert own == [made[2], made[0]]
    assert ended == []
