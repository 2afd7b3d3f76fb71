"""Is what is due collected on its day, once, and is what cannot be collected called overdue?

The invoices are of 15 January and due on 29 January in Berlin, an hour ahead of UTC.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.sql.reads import earliest_collection
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.jobs import collect_due_invoices, resolve_open_attempts
from billwright.features.payments.model import Origin, PaymentState
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.features.payments.operations.reserve_collection import reserve_collection
from billwright.features.payments.sql.reads import attempts_of, list_payments
from billwright.runtime.db.json import from_json
from tests.conftest import BOX
from tests.features.payments.paying import (
    DECLINED,
    PROCESSING,
    SUCCEEDED,
    TOTAL,
    ScriptedProvider,
    an_invoice,
    collect,
    euros,
    events_of,
    invoice_now,
    leave_card,
    pay,
    record,
    reserve,
    work_with,
)

LAST_DAY = datetime(2026, 1, 28, 23, tzinfo=UTC)
DAY_AFTER = datetime(2026, 1, 29, 23, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


async def sweep(tenant, clock, provider, *, at):
    clock.move_to(at)
    return await collect_due_invoices(work_with(tenant, provider.providers))


async def payments_of(tenant, invoice):
    """The newest first."""
    async with tenant.tx() as tx:
        return await list_payments(tx, before=None, limit=10, invoice_id=invoice.id)


async def overdue(tenant):
    return [from_json(row["data"]) for row in await events_of(tenant, "invoice.overdue")]


async def test_a_method_is_charged_when_the_last_day_begins_and_not_before(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(SUCCEEDED)
    method_id = await leave_card(tenant, invoice)
    assert invoice.collect_at == LAST_DAY
    assert await sweep(tenant, clock, provider, at=LAST_DAY - SECOND) == 0
    assert await sweep(tenant, clock, provider, at=LAST_DAY) == 1
    assert await sweep(tenant, clock, provider, at=DAY_AFTER) == 0
    [payment] = await payments_of(tenant, invoice)
    assert (payment.state, payment.amount) == (PaymentState.SUCCEEDED, euros(TOTAL))
    assert (payment.origin, payment.saved_method_id) == (Origin.AUTOMATIC, method_id)
    paid = await invoice_now(tenant, invoice)
    assert (paid.state, paid.collect_at) == (InvoiceState.PAID, None)
    [started] = await events_of(tenant, "payment.started")
    assert from_json(started["data"])["origin"] == "automatic"
    assert await overdue(tenant) == []


async def test_what_is_due_at_once_is_collected_at_once(tenant, clock):
    invoice = await an_invoice(tenant, payment_terms_days=0)
    provider = ScriptedProvider(SUCCEEDED)
    await leave_card(tenant, invoice)
    assert invoice.collect_at == clock.now()
    assert await sweep(tenant, clock, provider, at=clock.now()) == 1
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID


async def test_without_a_method_the_payer_has_the_whole_of_the_last_day(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    assert await sweep(tenant, clock, provider, at=LAST_DAY) == 1
    assert (await invoice_now(tenant, invoice)).collect_at == DAY_AFTER
    assert await sweep(tenant, clock, provider, at=DAY_AFTER - SECOND) == 0
    assert await overdue(tenant) == []
    assert await sweep(tenant, clock, provider, at=DAY_AFTER) == 1
    assert await sweep(tenant, clock, provider, at=DAY_AFTER + DAY) == 0
    assert [event["due_minor"] for event in await overdue(tenant)] == [TOTAL]
    assert (await invoice_now(tenant, invoice)).collect_at is None


async def test_a_method_that_is_left_on_the_last_day_is_charged_at_its_end(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(SUCCEEDED)
    await sweep(tenant, clock, provider, at=LAST_DAY)
    await leave_card(tenant, invoice)
    await sweep(tenant, clock, provider, at=DAY_AFTER)
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID
    assert await overdue(tenant) == []


async def test_what_was_paid_before_is_not_asked_for_and_a_rest_is(tenant, clock):
    """20.00 of 46.29 came by hand; 26.29 are collected."""
    invoice, provider = await an_invoice(tenant), ScriptedProvider(SUCCEEDED)
    await leave_card(tenant, invoice)
    await collect(tenant, await reserve(tenant, pay(invoice, 2000)))
    await sweep(tenant, clock, provider, at=LAST_DAY)
    assert [one.amount for one in await payments_of(tenant, invoice)] == [euros(2629), euros(2000)]
    assert (await invoice_now(tenant, invoice)).due_minor == 0


async def test_after_a_no_nothing_is_tried_again_here(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(DECLINED)
    await leave_card(tenant, invoice)
    await sweep(tenant, clock, provider, at=LAST_DAY)
    for days in range(1, 4):
        assert await sweep(tenant, clock, provider, at=LAST_DAY + days * DAY) == 0
    assert len(provider.collected) == 1
    assert await overdue(tenant) == []


async def test_a_page_that_waits_makes_way_for_the_method(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    await leave_card(tenant, invoice)
    clock.move_to(LAST_DAY - SECOND)
    await a_page(tenant, invoice, provider)
    provider.script = [SUCCEEDED]
    await sweep(tenant, clock, provider, at=LAST_DAY)
    collected, page = await payments_of(tenant, invoice)
    assert (collected.state, page.state) == (PaymentState.SUCCEEDED, PaymentState.CANCELED)
    assert provider.withdrawn == ["page-1"]


async def test_a_page_that_is_paid_at_that_very_moment_is_the_only_payment(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    await leave_card(tenant, invoice)
    clock.move_to(LAST_DAY - SECOND)
    await a_page(tenant, invoice, provider)
    provider.paid_pages.add("page-1")
    [page] = await payments_of(tenant, invoice)
    async with tenant.tx() as tx:
        [attempt] = await attempts_of(tx, page.id)
    provider.known[attempt.provider_key] = SUCCEEDED
    await sweep(tenant, clock, provider, at=LAST_DAY)
    [page] = await payments_of(tenant, invoice)
    assert page.state is PaymentState.SUCCEEDED
    assert provider.collected == []


async def test_a_debit_that_is_under_way_is_waited_for_past_the_last_day(tenant, clock):
    """Neither is the card charged beside it, nor is the invoice overdue, until it is known to fail."""
    invoice, provider = await an_invoice(tenant), ScriptedProvider(PROCESSING)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    await collect(tenant, attempt, provider.providers)
    await leave_card(tenant, invoice)
    for days in range(3):
        assert await sweep(tenant, clock, provider, at=LAST_DAY + days * DAY) == 1
    assert len(provider.collected) == 1
    assert await overdue(tenant) == []
    await record(tenant, attempt, DECLINED)
    assert (await invoice_now(tenant, invoice)).collect_at is None
    assert await sweep(tenant, clock, provider, at=LAST_DAY + 4 * DAY) == 0


async def test_a_no_before_the_last_day_leaves_it_as_it_is(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(SUCCEEDED)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    await record(tenant, attempt, DECLINED)
    await leave_card(tenant, invoice)
    await sweep(tenant, clock, provider, at=LAST_DAY)
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID


async def test_three_workers_collect_once(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(SUCCEEDED)
    await leave_card(tenant, invoice)
    clock.move_to(LAST_DAY)
    work = work_with(tenant, provider.providers)
    assert sum(await asyncio.gather(*(collect_due_invoices(work) for _ in range(3)))) == 1
    assert len(provider.collected) == 1


async def test_a_crash_after_the_reservation_is_mended_by_the_worker(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(asyncio.CancelledError())
    await leave_card(tenant, invoice)
    with pytest.raises(asyncio.CancelledError):
        await sweep(tenant, clock, provider, at=LAST_DAY)
    assert await sweep(tenant, clock, provider, at=LAST_DAY + DAY) == 0
    provider.known[provider.collected[0]] = SUCCEEDED
    await resolve_open_attempts(work_with(tenant, provider.providers))
    [payment] = await payments_of(tenant, invoice)
    assert (payment.state, len(provider.collected)) == (PaymentState.SUCCEEDED, 1)


async def test_nothing_is_reserved_without_a_method_or_beside_a_live_payment(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    assert await reserved(tenant, invoice) is None
    await leave_card(tenant, invoice)
    assert await reserved(tenant, invoice) is not None
    assert await reserved(tenant, invoice) is None
    assert (await invoice_now(tenant, invoice)).collect_at is None
    assert provider.collected == []


async def test_on_a_test_clock_the_due_date_is_that_of_the_clock(tenant, clock):
    async with tenant.tx() as tx:
        own = await create_test_clock(tx, name="next year", now=clock.now() + 365 * DAY)
    invoice = await an_invoice(tenant, test_clock_id=own.id)
    await leave_card(tenant, invoice)
    provider = ScriptedProvider(SUCCEEDED)
    assert await sweep(tenant, clock, provider, at=clock.now() + 1000 * DAY) == 0
    async with tenant.tx() as tx:
        due = await earliest_collection(tx, own.id)
    assert due == LAST_DAY + 365 * DAY
    async with tenant.tx() as tx:
        await tx.execute("update test_clock set now = $1", due)
    work = replace(work_with(tenant, provider.providers), as_of=due, test_clock_id=own.id)
    assert [await collect_due_invoices(work) for _ in range(2)] == [1, 0]
    [payment] = await payments_of(tenant, invoice)
    async with tenant.tx() as tx:
        [attempt] = await attempts_of(tx, payment.id)
        assert await earliest_collection(tx, own.id) is None
    assert (payment.created_at, payment.updated_at) == (due, due)
    assert (attempt.created_at, attempt.state) == (clock.now(), AttemptState.SUCCEEDED)


async def test_another_tenant_collects_nothing_of_it(tenant, other_tenant, clock):
    await an_invoice(tenant)
    assert await sweep(other_tenant, clock, ScriptedProvider(), at=LAST_DAY) == 0


async def reserved(tenant, invoice):
    async with tenant.tx() as tx:
        return await reserve_collection(tx, invoice.id, origin=Origin.DUNNING)


async def a_page(tenant, invoice, provider):
    command = OpenPage(
        invoice_id=invoice.id,
        success_url="https://app.example/paid",
        cancel_url="https://app.example/",
        saves_method=False,
    )
    return await open_page(tenant.tx, command, providers=provider.providers, box=BOX)
