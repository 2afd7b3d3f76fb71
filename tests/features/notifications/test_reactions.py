"""Do people hear of what happens to them, once and in their language?"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.notifications.messages import (
    MessageSender,
    MessageType,
    render_message,
)
from billwright.features.notifications.port import Message
from billwright.features.payment_providers.model import PaymentMethod
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_trial import EndTrial, end_trial
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.mail.folder import FolderMailer
from billwright.providers.payment import discover
from billwright.runtime.queue.worker import Worker
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.notifications.requesting import requests_of, run_reactions, wired

STORY = {
    MessageType.INVOICE_FINALIZED,
    MessageType.PAYMENT_SUCCEEDED,
    MessageType.SUBSCRIPTION_STARTED,
    MessageType.SUBSCRIPTION_CANCELED,
}


class CountingMailer(FolderMailer):
    """Tells when as many mails as expected have left."""

    def __init__(self, folder: Path, *, expected: int) -> None:
        super().__init__(folder)
        self.complete = asyncio.Event()
        self._missing = expected

    async def deliver(self, message: Message) -> None:
        await super().deliver(message)
        self._missing -= 1
        if not self._missing:
            self.complete.set()


async def a_paid_and_canceled_subscription(tenant, **account):
    """Started, paid with a transfer of the day before, and canceled."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = await a_subscription(tx, await an_account(tx, **account))
        invoice = started.billed.documents[0]
    async with tenant.tx() as tx:
        attempt = await start_payment(
            tx,
            StartPayment(
                invoice_id=invoice.id,
                amount=Money(invoice.total_minor, currency_of("EUR")),
                provider="manual",
                method=PaymentMethod.BANK_TRANSFER,
                received_on=date(2026, 1, 14),
            ),
            providers=discover(),
        )
    await collect_attempt(tenant.tx, attempt.id, providers=discover(), box=BOX)
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=started.subscription.id, mode=CancellationMode.NOW),
        )
    return started


async def test_each_fact_is_told_once_in_the_account_s_language(tenant, database, registry):
    started = await a_paid_and_canceled_subscription(
        tenant, email="buch@ufer.example", locale="de-DE", name="Bücher am Ufer"
    )
    await run_reactions(database, registry)
    await run_reactions(database, registry)
    requests = {request.type: request for request in await requests_of(tenant)}
    assert set(requests) == STORY
    name = {"account_name": "Bücher am Ufer"}
    invoice = started.billed.documents[0]
    assert requests["invoice.finalized"].data == name | {
        "invoice_number": invoice.number,
        "amount_label": "46,29\N{NO-BREAK SPACE}€",
        "due_on_label": "29. Januar 2026",
    }
    assert requests["payment.succeeded"].data == name | {
        "invoice_number": invoice.number,
        "amount_label": "46,29\N{NO-BREAK SPACE}€",
        "paid_on_label": "14. Januar 2026",
    }
    today = name | {"plan_name": "Team", "effective_on_label": "15. Januar 2026"}
    assert requests["subscription.started"].data == today
    assert requests["subscription.canceled"].data == today
    assert requests["payment.succeeded"].subject_id == invoice.id
    assert requests["payment.succeeded"].sequence == requests["invoice.finalized"].sequence + 1
    for request in requests.values():
        rendered = render_message(
            MessageType(request.type),
            locale=request.locale,
            data=request.data,
            sender=MessageSender("Northlight"),
        )
        assert "Bücher am Ufer" in rendered.text


async def test_an_account_without_an_address_gets_no_request(tenant, database, registry):
    await a_paid_and_canceled_subscription(tenant)
    await run_reactions(database, registry)
    assert await requests_of(tenant) == []


async def test_an_invoice_of_nothing_asks_for_no_payment(tenant, database, registry):
    async with tenant.tx() as tx:
        await a_plan(
            tx,
            components=(
                NewComponent(
                    code="base", name="Base fee", prices=(("EUR", Flat(price=Decimal(0))),)
                ),
            ),
        )
        await a_subscription(tx, await an_account(tx, email="books@riverbank.example"))
    await run_reactions(database, registry)
    assert [request.type for request in await requests_of(tenant)] == ["subscription.started"]


async def test_an_end_at_midnight_names_the_day_before(tenant, database, registry):
    midnight = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx, email="books@riverbank.example", zone="Europe/Berlin")
        started = await a_subscription(tx, account)
    async with tenant.tx(now=midnight) as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=started.subscription.id, mode=CancellationMode.NOW),
        )
    await run_reactions(database, registry)
    [canceled] = [r for r in await requests_of(tenant) if r.type == "subscription.canceled"]
    assert canceled.data["effective_on_label"] == "January 31, 2026"


async def test_a_trial_is_welcomed_with_its_last_free_day_and_its_paid_life_not_again(
    tenant, database, registry
):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx, email="books@riverbank.example", zone="Europe/Berlin")
        started = await a_subscription(tx, account, trial_days=14)
    async with tenant.tx() as tx:
        await end_trial(tx, EndTrial(subscription_id=started.subscription.id))
    await run_reactions(database, registry)
    [welcome] = [r for r in await requests_of(tenant) if r.type == "subscription.started"]
    # From 15 January, one o'clock in the afternoon, to the same hour of the 29th.
    assert welcome.data["effective_on_label"] == "January 15, 2026"
    assert welcome.data["trial_ends_on_label"] == "January 29, 2026"


async def test_a_worker_brings_every_message_to_the_folder(
    tenant, database, registry, migrated_database, tmp_path
):
    await a_paid_and_canceled_subscription(tenant, email="books@riverbank.example")
    mailer = CountingMailer(tmp_path, expected=len(STORY))
    worker = Worker(
        database,
        registry,
        dsn=migrated_database,
        providers={**wired(mailer, payments=discover()), SecretBox: BOX},
    )
    running = asyncio.create_task(worker.run())
    try:
        await asyncio.wait_for(mailer.complete.wait(), timeout=30)
    finally:
        worker.stop()
        await asyncio.wait_for(running, timeout=30)
    assert len(list(tmp_path.glob("*.eml"))) == len(STORY)
    assert {request.state for request in await requests_of(tenant)} == {"delivered"}
