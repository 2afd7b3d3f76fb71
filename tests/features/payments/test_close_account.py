"""Is an account closed only when nothing of it goes on any more, and does it then take nothing new?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billwright.features.accounts.model import AccountStatus
from billwright.features.accounts.operations.change_account_status import reopen_account
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.operations.add_charge import AddCharge, add_charge
from billwright.features.invoicing.operations.create_manual_invoice import (
    CreateManualInvoice,
    create_manual_invoice,
)
from billwright.features.invoicing.operations.delete_draft import delete_draft
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.features.invoicing.sql.reads_credit import credit_balances, list_credit_entries
from billwright.features.payments.operations.close_account import CloseAccount, close_account
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.payments.paying import an_invoice, pay, reserve
from tests.features.refusing import refusing

LINE = ManualLine(description="Workshop", quantity=Decimal(1), unit_price=Decimal("100.00"))


async def refused_for(tx: Tx, account_id: Any, **command: Any) -> list[str]:
    with refusing("account_not_closable") as refused:
        await close_account(tx, CloseAccount(account_id=account_id, **command))
    reasons = refused.value.facts["reasons"]
    assert isinstance(reasons, list)
    return reasons


async def test_everything_that_goes_on_is_named_at_once(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account)
        draft = await create_manual_invoice(
            tx, CreateManualInvoice(account_id=account.id, lines=(LINE,))
        )
        euros = Money(500, currency_of("EUR"))
        await grant_credit(tx, ChangeCredit(account_id=account.id, amount=euros, reason="Sorry"))
        everything = ["subscriptions_running", "drafts_left", "invoices_open"]
        assert await refused_for(tx, account.id) == [*everything, "credit_left"]
        assert await refused_for(tx, account.id, forfeits_credit=True) == everything
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=started.subscription.id, mode=CancellationMode.NOW),
        )
        assert await refused_for(tx, account.id) == [*everything[1:], "credit_left"]
        await delete_draft(tx, draft.id)
        await void_invoice(
            tx, VoidInvoice(invoice_id=started.billed.documents[0].id, reason="Wrong")
        )
        assert await refused_for(tx, account.id) == ["credit_left"]


async def test_money_that_may_still_move_keeps_an_account_open(tenant):
    invoice = await an_invoice(tenant)
    await reserve(tenant, pay(invoice))
    async with tenant.tx() as tx:
        reasons = await refused_for(tx, invoice.account_id)
        assert {"invoices_open", "payments_under_way"} <= set(reasons)


async def test_a_charge_that_waits_for_its_invoice_keeps_an_account_open(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await add_charge(tx, AddCharge(account_id=account.id, line=LINE))
        assert await refused_for(tx, account.id) == ["charges_waiting"]


async def test_credit_is_given_up_where_that_is_said(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        for amount in (Money(500, currency_of("EUR")), Money(300, currency_of("USD"))):
            await grant_credit(
                tx, ChangeCredit(account_id=account.id, amount=amount, reason="Sorry")
            )
        command = CloseAccount(account_id=account.id, reason="Moved away", forfeits_credit=True)
        closed = await close_account(tx, command)
        assert (closed.status, closed.version) == (AccountStatus.CLOSED, account.version + 1)
        assert await account_by_id(tx, account.id) == closed
        assert [each.amount_minor for each in await credit_balances(tx, account.id)] == [0, 0]
        entries = await list_credit_entries(tx, account.id, currency=None, before=None, limit=9)
        forfeited = [(one.amount_minor, one.reason) for one in entries if one.amount_minor < 0]
        assert sorted(forfeited) == [(-500, "Moved away"), (-300, "Moved away")]
        assert tx.events[-1][2].type == "account.closed"


async def test_a_closed_account_takes_nothing_new_until_it_is_reopened(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        await close_account(tx, CloseAccount(account_id=account.id))
        euros = Money(500, currency_of("EUR"))
        for refused in (
            a_subscription(tx, account),
            create_manual_invoice(tx, CreateManualInvoice(account_id=account.id, lines=(LINE,))),
            grant_credit(tx, ChangeCredit(account_id=account.id, amount=euros, reason="Sorry")),
        ):
            with refusing("account_closed"):
                await refused
        reopened = await reopen_account(tx, account.id)
        assert reopened.status is AccountStatus.ACTIVE
        assert (await a_subscription(tx, account)).billed.documents


async def test_closing_and_reopening_twice_changes_nothing(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        closed = await close_account(tx, CloseAccount(account_id=account.id))
        assert await close_account(tx, CloseAccount(account_id=account.id)) == closed
        reopened = await reopen_account(tx, account.id)
        assert await reopen_account(tx, account.id) == reopened
        types = [event.type for _, _, event in tx.events[1:]]
    assert types == ["account.closed", "account.reopened"]


async def test_who_has_not_seen_the_newest_version_closes_nothing(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        with refusing("account_version_stale"):
            await close_account(tx, CloseAccount(account_id=account.id, expected_version=2))


async def test_another_tenants_account_is_not_there(tenant, other_tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
    async with other_tenant.tx() as tx:
        for refused in (
            close_account(tx, CloseAccount(account_id=account.id)),
            reopen_account(tx, account.id),
        ):
            with refusing("account_unknown"):
                await refused
