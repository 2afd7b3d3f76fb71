"""What do tests of payments start from? An invoice of 46.29 EUR and a provider that follows a script."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payments.model import AttemptState, PaymentMethod
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.port import (
    CollectRequest,
    PaymentProviders,
    ProviderAnswer,
    Reservation,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment import discover
from billwright.runtime.queue.registry import Work
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account

EUR = currency_of("EUR")
TOTAL = 4629  # 29.00 + 9.90, with 19 % tax of 7.39
MANUAL = discover()


class ScriptedProvider:
    """Answers calls in the order of its script, and remembers by key what it has collected."""

    name = "scripted"

    def __init__(self, *script: ProviderAnswer | Exception, remembers: timedelta | None = None):
        self.script = list(script)
        self.remembers_keys_for = remembers
        self.collected: list[str] = []
        self.known: dict[str, ProviderAnswer | Exception] = {}

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        self.collected.append(request.provider_key)
        return _said(self.script.pop(0))

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        known = self.known.get(provider_key)
        return None if known is None else _said(known)

    @property
    def providers(self) -> PaymentProviders:
        return PaymentProviders({self.name: self})


def _said(step: ProviderAnswer | Exception) -> ProviderAnswer:
    if isinstance(step, Exception):
        raise step
    return step


SUCCEEDED = ProviderAnswer(AttemptState.SUCCEEDED, "ref-1")
PROCESSING = ProviderAnswer(AttemptState.PROCESSING, "ref-1")
DECLINED = ProviderAnswer(AttemptState.DECLINED, "ref-1", "insufficient_funds")


def euros(amount_minor: int) -> Money:
    return Money(amount_minor, EUR)


async def an_invoice(tenant: Tenant, **account: Any) -> Invoice:
    """An open invoice of `TOTAL`, due in two weeks."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = await a_subscription(tx, await an_account(tx, **account))
        return await invoice_by_id(tx, started.billed.documents[0].id)


def pay(invoice: Invoice, amount_minor: int = TOTAL, **changes: Any) -> StartPayment:
    values: dict[str, Any] = {
        "invoice_id": invoice.id,
        "amount": euros(amount_minor),
        "provider": "manual",
        "method": PaymentMethod.BANK_TRANSFER,
        "reference": "thanks",
    }
    return StartPayment(**{**values, **changes})


async def reserve(
    tenant: Tenant, command: StartPayment, providers: PaymentProviders = MANUAL
) -> Reservation:
    async with tenant.tx() as tx:
        return await start_payment(tx, command, providers=providers)


def work_with(tenant: Tenant, providers: PaymentProviders = MANUAL) -> Work:
    return replace(tenant.work(), providers={PaymentProviders: providers})


async def invoice_now(tenant: Tenant, invoice: Invoice) -> Invoice:
    async with tenant.tx() as tx:
        return await invoice_by_id(tx, invoice.id)


async def events_of(tenant: Tenant, event_type: str) -> list[Any]:
    async with tenant.tx() as tx:
        return await tx.fetch("select * from event where type = $1 order by id", event_type)
