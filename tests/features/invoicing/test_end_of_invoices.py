"""What becomes of an invoice that is withdrawn, or given up?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from billwright.features.invoicing.document import DocumentStamp
from billwright.features.invoicing.model import ChargeKind, CreditEntryKind, InvoiceState
from billwright.features.invoicing.operations.build_document import build_document
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.sql.reads import (
    charges_of_invoice,
    invoice_by_id,
    lines_of,
    pending_charges,
)
from billwright.features.invoicing.sql.reads_credit import credit_balances, list_credit_entries
from billwright.features.promotions.model import Duration, PromotionKind
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.features.promotions.sql.reads import redemptions_of
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.invoicing.charging import (
    a_charge,
    a_subscription_row,
    billed,
    invoiced_line,
    the_rest_of,
)

EUR = currency_of("EUR")


async def types_of(tx: Tx) -> list[str]:
    return [row["type"] for row in await tx.fetch("select type from event order by id")]


async def test_a_void_invoice_keeps_its_number_and_asks_for_nothing(tenant: Tenant, clock):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        (document,) = (await billed(tx, account, a_charge(10000))).documents
        void = await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="wrong buyer"))
        assert void == await invoice_by_id(tx, document.id)
        assert (void.state, void.number, void.due_minor, void.total_minor) == (
            InvoiceState.VOID,
            "INV-2026-00001",
            0,
            11900,
        )
        assert (void.voided_at, void.reason) == (clock.now(), "wrong buyer")
        assert (await build_document(tx, document.id)).stamp is DocumentStamp.VOID
        (other,) = (await billed(tx, account, a_charge(10000))).documents
        assert other.number == "INV-2026-00002"
    async with tenant.tx() as tx:
        before = await types_of(tx)
        assert "invoice.voided" in before
        assert await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="again")) == void
    async with tenant.tx() as tx:
        assert await types_of(tx) == before


async def test_what_it_charged_may_be_charged_again(tenant: Tenant):
    async with tenant.tx() as tx:
        version = (await a_plan(tx)).version
        account = await an_account(tx)
        debt = a_charge(
            2900,
            kind=ChargeKind.RECURRING,
            subscription_id=await a_subscription_row(tx, account, version),
            plan_component_id=version.components[0].id,
        )
        (first,) = (await billed(tx, account, debt)).documents
        await void_invoice(tx, VoidInvoice(invoice_id=first.id, reason="wrong"))
        (second,) = (await billed(tx, account, debt)).documents
        assert [line.amount_minor for line in await lines_of(tx, second.id)] == [2900]
        assert [line.amount_minor for line in await lines_of(tx, first.id)] == [2900]


async def test_credit_that_it_took_returns(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await grant_credit(
            tx, ChangeCredit(account_id=account.id, amount=Money(1900, EUR), reason="welcome")
        )
        (document,) = (await billed(tx, account, a_charge(10000))).documents
        assert (await invoice_by_id(tx, document.id)).state is InvoiceState.PARTIALLY_PAID
        await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="wrong"))
        assert await credit_balances(tx, account.id) == [Money(1900, EUR)]
        entries = await list_credit_entries(tx, account.id, currency="EUR", before=None, limit=9)
        assert [(entry.kind, entry.amount_minor, entry.balance_minor) for entry in entries] == [
            (CreditEntryKind.RETURNED, 1900, 1900),
            (CreditEntryKind.APPLIED, -1900, 0),
            (CreditEntryKind.GRANTED, 1900, 1900),
        ]
        older = await list_credit_entries(
            tx, account.id, currency=None, before=entries[1].id, limit=9
        )
        assert older == entries[2:]


async def test_promotions_may_give_again_what_they_gave_on_it(tenant: Tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await create_promotion(
            tx,
            CreatePromotion(
                code="FIFTY",
                name="Fifty off",
                kind=PromotionKind.FIXED_AMOUNT,
                amount_minor=5000,
                currency="EUR",
                duration=Duration.ONCE,
            ),
        )
        account = await an_account(tx)
        started = await a_subscription(
            tx, account, quantities={"seats": Decimal(10)}, promotion_codes=("FIFTY",)
        )
        ids = [started.subscription.id]
        # 29.00 + 99.00 are 128.00; 50.00 less are 78.00, and 19 % of that is 14.82.
        (document,) = started.billed.documents
        assert document.total_minor == 9282
        assert await redemptions_of(tx, ids) == {}  # nothing is left to give
    async with tenant.tx() as tx:
        await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="By mistake."))
        ((again,),) = (await redemptions_of(tx, ids)).values()
    assert (again.remaining_minor, again.state) == (5000, "active")


async def test_what_it_gave_back_of_others_waits_for_the_next(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        line = await invoiced_line(tx, account, 10000)
        credit = the_rest_of(line, 3000, tax_rate=Decimal("0.19"))
        (second,) = (await billed(tx, account, a_charge(8000), credit)).documents
        await void_invoice(tx, VoidInvoice(invoice_id=second.id, reason="wrong"))
        ((waiting,),) = (await pending_charges(tx, [account.id])).values()
        assert (waiting.charge.amount_minor, waiting.charge.corrects_charge_id) == (-3000, line.id)
        # 80.00 less the 30.00 that are still given back
        (third,) = (await billed(tx, account, a_charge(8000))).documents
        assert (await invoice_by_id(tx, third.id)).subtotal_minor == 5000


@pytest.mark.parametrize("moved_on", ["paid", "credited", "prorated"])
async def test_what_has_moved_on_is_credited_instead(tenant: Tenant, moved_on: str):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        (document,) = (await billed(tx, account, a_charge(10000))).documents
        match moved_on:
            case "paid":
                await settle_invoice(tx, await lock_invoice(tx, document.id), amount_minor=1)
            case "credited":
                await credit_invoice(
                    tx, CreditInvoice(invoice_id=document.id, reason="x", amount_minor=1)
                )
            case "prorated":
                (line,) = await charges_of_invoice(tx, document.id)
                await billed(tx, account, a_charge(5000), the_rest_of(line, 3000))
        with pytest.raises(Refusal) as refused:
            await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="wrong"))
    assert refused.value.code == "invoice_not_voidable"


async def test_what_is_paid_is_neither_voided_nor_given_up(tenant: Tenant):
    async with tenant.tx() as tx:
        (document,) = (await billed(tx, await an_account(tx), a_charge(10000))).documents
        await settle_invoice(tx, await lock_invoice(tx, document.id), amount_minor=11900)
        with pytest.raises(Refusal) as refused:
            await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="wrong"))
        assert refused.value.code == "state_forbids"
        with pytest.raises(Refusal) as refused:
            await mark_uncollectible(tx, MarkUncollectible(invoice_id=document.id, reason="gone"))
        assert refused.value.code == "state_forbids"


async def test_what_is_given_up_stays_owed(tenant: Tenant, clock):
    async with tenant.tx() as tx:
        (document,) = (await billed(tx, await an_account(tx), a_charge(10000))).documents
        await settle_invoice(tx, await lock_invoice(tx, document.id), amount_minor=1900)
        given_up = await mark_uncollectible(
            tx, MarkUncollectible(invoice_id=document.id, reason="insolvent")
        )
        assert given_up == await invoice_by_id(tx, document.id)
        assert (given_up.state, given_up.due_minor, given_up.uncollectible_at) == (
            InvoiceState.UNCOLLECTIBLE,
            10000,
            clock.now(),
        )
        again = MarkUncollectible(invoice_id=document.id, reason="again")
        assert await mark_uncollectible(tx, again) == given_up
    async with tenant.tx() as tx:
        assert (await types_of(tx)).count("invoice.marked_uncollectible") == 1
        audited = await tx.fetch_value(
            "select details from audit_entry where action = 'invoice.mark_uncollectible'"
        )
        assert "insolvent" in audited


async def test_another_tenants_invoice_is_invisible(tenant: Tenant, other_tenant: Tenant):
    async with tenant.tx() as tx:
        (document,) = (await billed(tx, await an_account(tx), a_charge(10000))).documents
    async with other_tenant.tx() as tx:
        for end in (
            void_invoice(tx, VoidInvoice(invoice_id=document.id, reason="x")),
            mark_uncollectible(tx, MarkUncollectible(invoice_id=document.id, reason="x")),
        ):
            with pytest.raises(Refusal) as refused:
                await end
            assert refused.value.code == "invoice_unknown"
