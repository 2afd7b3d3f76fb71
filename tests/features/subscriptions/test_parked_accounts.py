"""Does one account that cannot be billed leave the others alone, and is that told?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.invoicing.sql.reads import list_invoices
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.sql.reads import subscription_by_id
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.only_commands import allow_writing_by_hand

ADVANCE = (NewComponent(code="base", name="Base", prices=(("EUR", Flat(price=Decimal(29))),)),)
LATER = datetime(2026, 2, 20, tzinfo=UTC)

# Ways in which stored data can be beyond what the rules know.
DAMAGES = {
    "a debt that is written down already": """insert into charge
        select (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),
            'period_start', c.period_end, 'period_end', c.period_end + interval '1 hour',
            'invoice_id', null, 'position', null, 'line_count', null))).*
        from charge c where c.account_id = $1""",
    "a state that cannot renew": "update subscription set state = 'unpaid' where account_id = $1",
    "a currency without a price": "update subscription set currency = 'USD' where account_id = $1",
    "a zone that does not exist": "update account set zone = 'Mars/Base' where id = $1",
    "more than a column can hold": """update subscription_item set quantity = 99999999999999
        where subscription_id = (select id from subscription where account_id = $1)""",
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_it_is_parked_with_a_reason_and_the_others_are_billed(tenant, clock, damage):
    async with tenant.tx() as tx:
        await a_plan(tx, components=(in_arrears("storage", "9999999.99"), *ADVANCE))
        accounts = [await an_account(tx) for _ in range(5)]
        for account in accounts:
            await a_subscription(tx, account)
        broken = accounts[2]
        await tx.execute(DAMAGES[damage], broken.id)
    clock.move_to(LATER)
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        billed = {i.account_id for i in await list_invoices(tx, before=None, limit=4)}
        parked = await account_by_id(tx, broken.id)
        event = await tx.fetch_row("select * from event where type = 'account.parked'")
        audit = await tx.fetch_row("select * from audit_entry where action = 'account.park'")
        numbers = await tx.fetch_row(
            "select max(sequence), count(*), (select last_sequence from invoice_number) from invoice"
        )
    assert billed == {account.id for account in accounts if account is not broken}
    assert parked.parked_reason
    assert parked.version == 2
    assert event["account_id"] == audit["subject_id"] == broken.id
    assert len(set(numbers)) == 1


async def test_a_parked_account_is_left_alone_until_it_is_released(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account)
        await tx.execute("update account set parked_reason = 'look at this'")
    clock.move_to(LATER)
    assert await renew_due_subscriptions(tenant.work()) == 0
    async with tenant.tx() as tx:
        assert await subscription_by_id(tx, started.subscription.id) == started.subscription
        await tx.execute("update account set parked_reason = null")
    assert await renew_due_subscriptions(tenant.work()) == 1


async def test_a_second_run_does_not_tell_it_again(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_subscription(tx, await an_account(tx))
        await allow_writing_by_hand(tx)
        await tx.execute("update subscription set currency = 'USD'")
    clock.move_to(LATER)
    for _ in range(3):
        await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from event where type = 'account.parked'") == 1
        assert await tx.fetch_value("select count(*) from invoice") == 1
