"""Does credit pay what is open already, once and no more than there is of either?"""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.operations.create_manual_invoice import (
    CreateManualInvoice,
    create_manual_invoice,
)
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.finalize_invoice import finalize_invoice
from billwright.features.invoicing.operations.grant_credit import (
    ChangeCredit,
    grant_credit,
    withdraw_credit,
)
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.invoicing.sql.reads_credit import credit_balance, list_credit_entries
from billwright.features.payments.operations.apply_credit import ApplyCredit, apply_credit
from billwright.features.payments.operations.apply_new_credit import (
    MOST_INVOICES,
    AppliedCredit,
    credit_and_apply,
    grant_and_apply,
)
from billwright.features.subscriptions.model import Activation, SubscriptionState
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.payments.paying import (
    EUR,
    SUCCEEDED,
    TOTAL,
    ScriptedProvider,
    an_invoice,
    collect,
    euros,
    events_of,
    invoice_now,
    pay,
    record,
    reserve,
)
from tests.features.refusing import refusing
from tests.histories.books import check_documents

LINE = ManualLine(description="Workshop", quantity=Decimal(1), unit_price=Decimal("10.00"))
EACH = 1190  # with 19 % tax


def granting(account_id: UUID, amount_minor: int) -> ChangeCredit:
    return ChangeCredit(account_id=account_id, amount=euros(amount_minor), reason="Sorry")


async def grant(tenant: Tenant, invoice: Invoice, amount_minor: int) -> None:
    async with tenant.tx() as tx:
        await grant_credit(tx, granting(invoice.account_id, amount_minor))


async def apply(tenant: Tenant, invoice: Invoice, amount: Money | None = None) -> Invoice:
    async with tenant.tx() as tx:
        return await apply_credit(tx, ApplyCredit(invoice_id=invoice.id, amount=amount))


async def an_open_invoice(tx: Any, account_id: UUID) -> Invoice:
    """An invoice of 11.90 EUR that a person wrote."""
    draft = await create_manual_invoice(
        tx, CreateManualInvoice(account_id=account_id, lines=(LINE,))
    )
    return await finalize_invoice(tx, draft.id)


async def credit_of(tenant: Tenant, account_id: UUID) -> int:
    async with tenant.tx() as tx:
        return (await credit_balance(tx, account_id, currency=EUR)).amount_minor


async def test_credit_pays_as_much_as_both_allow(tenant):
    invoice = await an_invoice(tenant)
    await grant(tenant, invoice, 1000)
    assert (await invoice_now(tenant, invoice)).due_minor == TOTAL  # nothing happens by itself
    part = await apply(tenant, invoice)
    assert (part.state, part.credit_applied_minor) == (InvoiceState.PARTIALLY_PAID, 1000)
    assert (part.due_minor, part.collect_at) == (TOTAL - 1000, invoice.collect_at)
    await grant(tenant, invoice, 5000)
    some = await apply(tenant, invoice, euros(29))
    assert (some.credit_applied_minor, some.version) == (1029, invoice.version + 2)
    whole = await apply(tenant, invoice)
    assert (whole.state, whole.due_minor, whole.paid_minor) == (InvoiceState.PAID, 0, 0)
    assert whole.paid_at is not None
    assert whole.collect_at is None
    assert await credit_of(tenant, invoice.account_id) == 6000 - TOTAL
    async with tenant.tx() as tx:
        entries = await list_credit_entries(
            tx, invoice.account_id, currency=None, before=None, limit=9
        )
    assert [(one.amount_minor, one.invoice_id) for one in entries if one.kind == "applied"] == [
        (1029 - TOTAL, invoice.id),
        (-29, invoice.id),
        (-1000, invoice.id),
    ]
    assert len(await events_of(tenant, "invoice.credit_applied")) == 3
    assert len(await events_of(tenant, "invoice.paid")) == 1
    await check_documents(tenant)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (euros(501), "credit_insufficient"),
        (euros(TOTAL + 1), "amount_above_due"),
        (euros(0), "amount_not_positive"),
        (euros(-1), "amount_not_positive"),
        (Money(100, currency_of("USD")), "currency_mismatch"),
    ],
)
async def test_more_than_there_is_of_either_is_refused(tenant, amount, code):
    invoice = await an_invoice(tenant)
    await grant(tenant, invoice, 500)
    with refusing(code):
        await apply(tenant, invoice, amount)
    assert (await invoice_now(tenant, invoice)) == invoice


async def test_without_credit_in_its_currency_nothing_is_applied(tenant):
    invoice = await an_invoice(tenant)
    async with tenant.tx() as tx:
        dollars = Money(100, currency_of("USD"))
        command = ChangeCredit(account_id=invoice.account_id, amount=dollars, reason="Sorry")
        await grant_credit(tx, command)
    with refusing("credit_insufficient") as refused:
        await apply(tenant, invoice)
    assert refused.value.facts == {"balance": "0.00 EUR", "amount": "46.29 EUR"}


async def test_what_asks_for_no_money_takes_no_credit(tenant):
    invoice = await an_invoice(tenant)
    async with tenant.tx() as tx:
        await grant_credit(tx, granting(invoice.account_id, 9000))
        await mark_uncollectible(tx, MarkUncollectible(invoice_id=invoice.id, reason="Gone"))
        note = await credit_invoice(tx, CreditInvoice(invoice_id=invoice.id, reason="Sorry"))
        command = CreateManualInvoice(account_id=invoice.account_id, lines=(LINE,))
        draft = await create_manual_invoice(tx, command)
    for other in (invoice, note, draft):
        with refusing("invoice_not_payable"):
            await apply(tenant, other)


async def test_a_payment_under_way_comes_first(tenant):
    invoice = await an_invoice(tenant)
    await grant(tenant, invoice, 9000)
    providers = ScriptedProvider().providers
    attempt = await reserve(tenant, pay(invoice, 100, provider="scripted"), providers)
    with refusing("payment_in_progress"):
        await apply(tenant, invoice)
    await record(tenant, attempt, SUCCEEDED)
    applied = await apply(tenant, invoice)
    assert (applied.paid_minor, applied.credit_applied_minor) == (100, TOTAL - 100)


async def test_credit_that_settles_the_first_invoice_activates_its_subscription(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account, activation=Activation.ON_FIRST_PAYMENT)
        invoice = await invoice_by_id(tx, started.billed.documents[0].id)
    await grant(tenant, invoice, TOTAL)
    await apply(tenant, invoice, euros(TOTAL - 1))
    states = []
    for _ in range(2):
        async with tenant.tx() as tx:
            states.append((await subscription_by_id(tx, started.subscription.id)).state)
        if len(states) == 1:
            await apply(tenant, invoice)
    assert states == [SubscriptionState.INCOMPLETE, SubscriptionState.ACTIVE]


async def test_of_many_at_once_none_takes_what_another_has_taken(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        invoices = [await an_open_invoice(tx, account.id) for _ in range(4)]
        await grant_credit(tx, granting(account.id, 2 * EACH + 10))

    async def attempt(invoice: Invoice) -> str:
        try:
            return (await apply(tenant, invoice, euros(EACH))).state.value
        except Refusal as refusal:
            return refusal.code

    outcomes = await asyncio.gather(*(attempt(one) for one in invoices))
    assert sorted(outcomes) == ["credit_insufficient", "credit_insufficient", "paid", "paid"]
    assert await credit_of(tenant, account.id) == 10
    await check_documents(tenant)


async def test_new_credit_pays_what_was_due_first_as_far_as_it_goes(tenant, clock):
    async with tenant.tx() as tx:
        later = await an_account(tx, payment_terms_days=30)
        first = await an_open_invoice(tx, later.id)
    clock.move_to(clock.now().replace(day=20))
    async with tenant.tx() as tx:
        second = await an_open_invoice(tx, later.id)
        await grant_credit(tx, granting(later.id, 500))  # which nobody asked to be applied
        applied = await grant_and_apply(tx, granting(later.id, EACH + 90))
        assert applied == AppliedCredit(((first.id, euros(EACH)), (second.id, euros(90))))
        assert (await grant_and_apply(tx, granting(later.id, 2 * EACH))).paid == (
            (second.id, euros(EACH - 90)),
        )
    assert await credit_of(tenant, later.id) == 500 + EACH + 90
    await check_documents(tenant)


async def test_new_credit_passes_over_what_a_payment_is_under_way_for(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        busy = await an_open_invoice(tx, account.id)
        free = await an_open_invoice(tx, account.id)
    providers = ScriptedProvider().providers
    await reserve(tenant, pay(busy, EACH, provider="scripted"), providers)
    async with tenant.tx() as tx:
        applied = await grant_and_apply(tx, granting(account.id, 5000))
    assert applied == AppliedCredit(((free.id, euros(EACH)),), (busy.id,))
    assert await credit_of(tenant, account.id) == 5000 - EACH


async def test_what_a_credit_note_leaves_pays_other_invoices_where_that_is_said(tenant):
    paid = await an_invoice(tenant)
    await collect(tenant, await reserve(tenant, pay(paid)))
    async with tenant.tx() as tx:
        waiting = await an_open_invoice(tx, paid.account_id)
        command = CreditInvoice(
            invoice_id=paid.id,
            reason="Outage",
            gross_minor=1000,
            allocation=Allocation(to_balance_minor=700, to_refund_minor=300),
        )
        note = await credit_and_apply(tx, command)
    assert (note.total_minor, note.to_balance_minor) == (-1000, 700)
    assert (await invoice_now(tenant, waiting)).credit_applied_minor == 700
    assert await credit_of(tenant, paid.account_id) == 0
    await check_documents(tenant)


async def test_one_command_pays_a_bounded_number_of_invoices(tenant, monkeypatch):
    assert MOST_INVOICES == 100
    monkeypatch.setattr("billwright.features.payments.operations.apply_new_credit.MOST_INVOICES", 2)
    async with tenant.tx() as tx:
        account = await an_account(tx)
        invoices = [await an_open_invoice(tx, account.id) for _ in range(3)]
        applied = await grant_and_apply(tx, granting(account.id, 4 * EACH))
    assert [invoice_id for invoice_id, _ in applied.paid] == [one.id for one in invoices[:2]]


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_granted_applied_and_voided_the_books_add_up(tenant, seed):
    chance = random.Random(seed)
    async with tenant.tx() as tx:
        account = await an_account(tx)
        invoices = [await an_open_invoice(tx, account.id) for _ in range(5)]
    outcomes = set()
    for _ in range(40):
        one, amount_minor = chance.choice(invoices), chance.randint(1, EACH)
        amount = chance.choice((None, euros(amount_minor)))
        change = granting(account.id, amount_minor)
        commands = (
            lambda tx, change=change: grant_credit(tx, change),
            lambda tx, change=change: withdraw_credit(tx, change),
            lambda tx, change=change: grant_and_apply(tx, change),
            lambda tx, one=one: void_invoice(tx, VoidInvoice(invoice_id=one.id, reason="Wrong")),
            lambda tx, one=one, amount=amount: apply_credit(
                tx, ApplyCredit(invoice_id=one.id, amount=amount)
            ),
        )
        [command] = chance.choices(commands, weights=(3, 1, 1, 1, 6))
        try:
            async with tenant.tx() as tx:
                before = (await credit_balance(tx, account.id, currency=EUR)).amount_minor
                kept = (await invoice_by_id(tx, one.id)).credit_applied_minor
                await command(tx)
                after = await invoice_by_id(tx, one.id)
                if after.state is InvoiceState.VOID and kept:
                    returned = await credit_balance(tx, account.id, currency=EUR)
                    assert returned.amount_minor == before + kept
                outcomes.add(after.state.value)
        except Refusal as refusal:
            outcomes.add(refusal.code)
        await check_documents(tenant)
    assert outcomes >= {"partially_paid", "void"}


async def test_another_tenants_invoice_is_not_there(tenant, other_tenant):
    invoice = await an_invoice(tenant)
    await grant(tenant, invoice, 500)
    with refusing("invoice_unknown"):
        await apply(other_tenant, invoice)
