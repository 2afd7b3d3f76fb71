"""What do tests of payments start from? An invoice of 46.29 EUR and a provider that follows a script."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    MethodKind,
    PaymentMethod,
)
from billwright.features.payment_providers.port import (
    Capability,
    Checkout,
    CheckoutRequest,
    CollectRequest,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    SavedMethod,
)
from billwright.features.payments.model import Attempt, Payment
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.sql.reads import attempts_of, payment_by_id
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment import discover
from billwright.runtime.queue.registry import Work
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, Tenant
from tests.features.billing import a_plan, a_subscription, an_account

EUR = currency_of("EUR")
TOTAL = 4629  # 29.00 + 9.90, with 19 % tax of 7.39
MANUAL = discover()


class ScriptedProvider(PaymentProvider):
    """Answers calls in the order of its script, and remembers by key what it has collected. Its pages
    are numbered; `paid_pages` are those that cannot be withdrawn any more.
    """

    name = "scripted"
    capabilities = frozenset({Capability.COLLECT, Capability.CHECKOUT})
    remembers_keys_for: timedelta | None = None

    def __init__(self, *script: ProviderAnswer | BaseException, remembers: timedelta | None = None):
        self.script = list(script)
        self.remembers_keys_for = remembers
        self.collected: list[str] = []
        self.requests: list[CollectRequest] = []
        self.known: dict[str, ProviderAnswer | BaseException] = {}
        self.pages: list[CheckoutRequest] = []
        self.withdrawn: list[str] = []
        self.paid_pages: set[str] = set()

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        self.collected.append(request.provider_key)
        self.requests.append(request)
        return _said(self.script.pop(0))

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        if self.script:
            _said(self.script.pop(0))
        self.pages.append(request)
        name = f"page-{len(self.pages)}"
        return Checkout(name, f"https://pay.example/{name}", request.expires_at)

    async def withdraw(self, reference: str) -> bool:
        if reference in self.paid_pages:
            return False
        self.withdrawn.append(reference)
        return True

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        known = self.known.get(provider_key)
        return None if known is None else _said(known)

    @property
    def providers(self) -> PaymentProviders:
        return PaymentProviders({self.name: self})


def _said(step: ProviderAnswer | BaseException) -> ProviderAnswer:
    if isinstance(step, BaseException):
        raise step
    return step


SUCCEEDED = ProviderAnswer(AttemptState.SUCCEEDED, "ref-1")
PROCESSING = ProviderAnswer(AttemptState.PROCESSING, "ref-1")
DECLINED = ProviderAnswer(AttemptState.DECLINED, "ref-1", "insufficient_funds")
LOST_CARD = ProviderAnswer(AttemptState.DECLINED, "ref-1", "lost_card", decline=Decline.HARD)
TO_CONFIRM = ProviderAnswer(
    AttemptState.REQUIRES_ACTION, "ref-1", action_url="https://bank.example/confirm"
)


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
) -> Attempt:
    async with tenant.tx() as tx:
        return await start_payment(tx, command, providers=providers)


async def collect(
    tenant: Tenant, attempt: Attempt, providers: PaymentProviders = MANUAL
) -> Payment:
    """Ask the provider for what was reserved."""
    return await collect_attempt(tenant.tx, attempt.id, providers=providers, box=BOX)


async def record(tenant: Tenant, attempt: Attempt, answer: ProviderAnswer) -> Payment:
    """Take note of an answer, wherever it came from."""
    async with tenant.tx() as tx:
        return await record_attempt(tx, attempt_id=attempt.id, answer=answer, box=BOX)


async def leave_card(
    tenant: Tenant, invoice: Invoice, *, provider: str = "scripted", reference: str = "card-1"
) -> UUID:
    """The payer of an invoice leaves a card with the provider."""
    card = SavedMethod(
        reference=reference,
        kind=MethodKind.CARD,
        label="Visa •••• 4242",
        payer_reference="payer-1",
    )
    async with tenant.tx() as tx:
        return await store_method(
            tx,
            account_id=invoice.account_id,
            provider=provider,
            method=card,
            consent=f"test {reference}",
            box=BOX,
        )


async def standing(tenant: Tenant, payment_id: UUID) -> tuple[Payment, Attempt]:
    """A payment and its attempt as they are now."""
    async with tenant.tx() as tx:
        [attempt] = await attempts_of(tx, payment_id)
        return await payment_by_id(tx, payment_id), attempt


def work_with(tenant: Tenant, providers: PaymentProviders = MANUAL) -> Work:
    return replace(tenant.work(), providers={PaymentProviders: providers, SecretBox: BOX})


async def invoice_now(tenant: Tenant, invoice: Invoice) -> Invoice:
    async with tenant.tx() as tx:
        return await invoice_by_id(tx, invoice.id)


async def events_of(tenant: Tenant, event_type: str) -> list[Any]:
    async with tenant.tx() as tx:
        return await tx.fetch("select * from event where type = $1 order by id", event_type)
