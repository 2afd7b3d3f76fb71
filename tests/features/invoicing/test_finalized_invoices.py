"""Is a finalized invoice what it was on its first day, for ever?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.invoicing.errors import (
    invoice_not_payable,
    invoice_reference_unknown,
    invoice_without_document,
)
from billwright.features.invoicing.model import Billed, ChargeKind, InvoiceState
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.sql.reads import (
    invoice_by_id,
    lines_of,
    list_invoices,
    party_data,
)
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import IntegrityViolation
from tests.features.billing import a_plan, an_account
from tests.features.invoicing.charging import (
    a_charge,
    a_draft,
    a_subscription_row,
    billed,
)

CHANGED = {
    "total_minor": "total_minor + 1, subtotal_minor = subtotal_minor + 1",
    "number": "'INV-2026-99999'",
    "currency": "'USD'",
    "taxes": "'[]'",
    "tax_treatment": "'export'",
    "tax_country": "'FR'",
    "tax_note": "'export'",
    "tax_code": "'G'",
    "vat_id_status": "'valid'",
    "sequence": "sequence + 1",
    "issued_on": "issued_on + 1",
    "due_on": "due_on + 1",
    "reference": "'changed'",
    "kind": "'credit_note', total_minor = 0, subtotal_minor = 0, tax_minor = 0",
    "corrects_invoice_id": "id",
    "reason": "'changed'",
    "note": "'changed'",
    "to_balance_minor": "1, kind = 'credit_note', total_minor = 0, subtotal_minor = 0, tax_minor = 0",
    "to_refund_minor": "1, kind = 'credit_note', total_minor = 0, subtotal_minor = 0, tax_minor = 0",
    "buyer_party_id": "gen_random_uuid()",
    "seller_party_id": "gen_random_uuid()",
    "finalized_at": "finalized_at - interval '1 day'",
    "period_start": "period_start - interval '1 day'",
    "period_end": "period_end + interval '1 day'",
    "locale": "'de'",
    "line_count": "line_count + 1",
    "zone": "'UTC'",
    "fiscal_year": "fiscal_year + 1",
    "state": "'draft', number = null, sequence = null, issued_on = null",
}


async def invoiced(tenant, **changes):
    async with tenant.tx() as tx:
        account = await an_account(tx, **changes)
        (issued,) = (await billed(tx, account, a_charge(2900), a_charge(990))).documents
        return await invoice_by_id(tx, issued.id)


async def test_it_says_what_was_owed_to_whom_by_whom_and_until_when(tenant):
    invoice = await invoiced(tenant, reference="PO 1")
    async with tenant.tx() as tx:
        lines = await lines_of(tx, invoice.id)
        parties = await party_data(tx, [invoice.seller_party_id, invoice.buyer_party_id])
    # 29.00 + 9.90 = 38.90; 19 % of it = 7.391, so 7.39; total 46.29
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (3890, 739, 4629)
    assert (invoice.number, invoice.state, invoice.due_minor) == (
        "INV-2026-00001",
        InvoiceState.OPEN,
        4629,
    )
    # NOON on 15 January in Berlin, and the seller's 14 days
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 1, 15), date(2026, 1, 29))
    assert [(line.position, line.amount_minor, line.tax_minor) for line in lines] == [
        (1, 2900, 551),  # 5.51
        (2, 990, 188),  # 1.881: 7.39 - 5.51
    ]
    assert {party["name"] for party in parties.values()} == {
        "Northlight Software GmbH",
        "Riverbank Books",
    }


async def test_an_accounts_own_terms_win(tenant):
    assert (await invoiced(tenant, payment_terms_days=0)).due_on == date(2026, 1, 15)


async def test_the_date_of_a_document_is_that_of_the_sellers_zone(tenant, clock):
    # 23:30 in London is already the next day, and year, in Berlin.
    clock.move_to(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    invoice = await invoiced(tenant, zone="Europe/London")
    assert (invoice.issued_on, invoice.number) == (date(2027, 1, 1), "INV-2027-00001")


@pytest.mark.parametrize("column", CHANGED)
async def test_no_fact_of_it_can_be_changed(tenant, column):
    await invoiced(tenant)
    with pytest.raises(IntegrityViolation, match="finalized and cannot change"):
        async with tenant.tx() as tx:
            await tx.execute(f"update invoice set {column} = {CHANGED[column]}")


async def test_every_column_is_a_fact_or_belongs_to_what_becomes_of_it(tenant):
    async with tenant.tx() as tx:
        columns = await tx.fetch(
            """select attname from pg_attribute
               where attrelid = 'invoice'::regclass and attnum > 0 and not attisdropped"""
        )
    living = {"paid_minor", "due_minor", "paid_at", "version", "created_at", "updated_at"}
    living |= {"credit_applied_minor", "credited_minor", "voided_at", "uncollectible_at"}
    living |= {"collect_at"}
    keys = {"tenant_id", "id", "account_id", "series_id", "subtotal_minor", "tax_minor"}
    assert {row["attname"] for row in columns} == {*CHANGED, *living, *keys}


async def test_its_lines_can_be_neither_changed_nor_deleted(tenant):
    await invoiced(tenant)
    for change in (
        "update charge set amount_minor = amount_minor + 1",
        "update charge set invoice_id = null, position = null",
        "update charge set tax_minor = tax_minor + 1",
        "update charge set credited_minor = 1, description = 'changed'",
        "delete from charge",
    ):
        with pytest.raises(IntegrityViolation, match="finalized invoice and cannot change"):
            async with tenant.tx() as tx:
                await tx.execute(change)


async def test_it_cannot_be_deleted_by_anyone(tenant, postgres_server, migrated_database):
    await invoiced(tenant)
    with pytest.raises(IntegrityViolation, match="finalized and cannot be deleted"):
        async with tenant.tx() as tx:
            await tx.execute("delete from invoice")
    name = migrated_database.rpartition("/")[2]
    superuser = await asyncpg.connect(postgres_server.superuser_dsn_for(name))
    try:
        with pytest.raises(IntegrityViolation, match="finalized"):
            await superuser.execute(
                "alter table charge drop constraint "
                "charge_tenant_id_invoice_id_line_count_fkey; delete from invoice"
            )
    finally:
        await superuser.close()


async def a_recurring_charge(tx, account):
    version = (await a_plan(tx)).version
    return a_charge(
        2900,
        kind=ChargeKind.RECURRING,
        subscription_id=await a_subscription_row(tx, account, version),
        plan_component_id=version.components[0].id,
    )


async def test_a_debt_cannot_be_written_down_twice(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        charge = await a_recurring_charge(tx, account)
        await billed(tx, account, charge)
    with pytest.raises(IntegrityViolation):
        async with tenant.tx() as tx:
            await billed(tx, account, a_charge(100), charge)
    async with tenant.tx() as tx:
        assert len(await list_invoices(tx, before=None, limit=9)) == 1
        assert await tx.fetch_value("select last_sequence from invoice_number") == 1


async def test_drafts_without_lines_take_no_number(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        assert await bill_charges(tx, [a_draft(account)]) == Billed()
        assert await tx.fetch_value("select count(*) from invoice_number") == 0


async def test_first_invoices_of_a_series_at_the_same_moment_get_one_number_each(tenant):
    async with tenant.tx() as tx:
        accounts = [await an_account(tx) for _ in range(12)]

    async def bill(account) -> str:
        async with tenant.tx() as tx:
            return (await billed(tx, account, a_charge(100))).documents[0].number

    numbers = await asyncio.gather(*(bill(account) for account in accounts))
    assert sorted(numbers) == [f"INV-2026-{sequence:05d}" for sequence in range(1, 13)]


async def test_money_is_booked_up_to_what_is_due(tenant, clock):
    invoice = await invoiced(tenant)
    async with tenant.tx() as tx:
        for amount in (0, -1, 4630):
            with pytest.raises(ValueError, match="does not fit"):
                await settle_invoice(tx, invoice, amount_minor=amount)
        part = await settle_invoice(tx, await lock_invoice(tx, invoice.id), amount_minor=4000)
        assert (part.state, part.due_minor, part.paid_at) == (
            InvoiceState.PARTIALLY_PAID,
            629,
            None,
        )
    async with tenant.tx() as tx:
        await settle_invoice(tx, await lock_invoice(tx, invoice.id), amount_minor=629)
        settled = await invoice_by_id(tx, invoice.id)
    assert (settled.state, settled.due_minor, settled.paid_at) == (
        InvoiceState.PAID,
        0,
        clock.now(),
    )


async def test_another_tenants_invoice_is_invisible(tenant, other_tenant):
    invoice = await invoiced(tenant)
    async with other_tenant.tx() as tx:
        for look in (invoice_by_id, lock_invoice):
            with pytest.raises(Refusal) as refused:
                await look(tx, invoice.id)
            assert refused.value.code == "invoice_unknown"
        assert await lines_of(tx, invoice.id) == []
        assert await party_data(tx, [invoice.buyer_party_id]) == {}
        assert await list_invoices(tx, before=None, limit=9) == []


def test_the_refusals_name_the_invoice():
    invoice_id = uuid4()
    assert str(invoice_id) in invoice_reference_unknown(invoice_id=invoice_id).detail
    assert str(invoice_id) in invoice_without_document(invoice_id=invoice_id).detail
    assert "void" in invoice_not_payable(invoice_id=invoice_id, state="void").detail


async def test_a_finalized_invoice_takes_no_more_lines(tenant):
    issued = await invoiced(tenant)
    for place in ("{}", '{"position": 3}', '{"position": 3, "line_count": 3}'):
        with pytest.raises(IntegrityViolation):
            async with tenant.tx() as tx:
                await tx.execute(
                    """insert into charge select (jsonb_populate_record(c, $2::jsonb ||
                           jsonb_build_object('id', gen_random_uuid()))).*
                       from charge c where invoice_id = $1 and position = 1""",
                    issued.id,
                    place,
                )
    async with tenant.tx() as tx:
        assert len(await lines_of(tx, issued.id)) == 2


async def test_a_charge_names_an_account_and_that_of_its_subscription(tenant):
    async with tenant.tx() as tx:
        account, other = await an_account(tx), await an_account(tx, "Harbor Games")
        charge = await a_recurring_charge(tx, account)
    nobody = replace(account, id=uuid4())
    for payer, debt in ((other, charge), (nobody, a_charge(100))):
        with pytest.raises(IntegrityViolation):
            async with tenant.tx() as tx:
                await billed(tx, payer, debt)
