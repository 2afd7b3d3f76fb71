"""What do tests of refunds start from? Money that has come, and a provider that gives it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from billwright.features.invoicing.model import Invoice, InvoiceId
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.invoicing.sql.reads_credit import credit_balance
from billwright.features.payment_providers.model import AttemptState, PaymentMethod
from billwright.features.payment_providers.port import (
    Capability,
    CollectRequest,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    RefundRequest,
)
from billwright.features.payments.model import Payment
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.sql.reads import payment_by_id
from billwright.features.refunds.model import Refund
from billwright.features.refunds.operations.execute_refund import execute_refund
from billwright.features.refunds.operations.refund_payment import RefundPayment, refund_payment
from billwright.features.refunds.sql.reads import list_refunds
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment import discover
from billwright.runtime.db.tx import Tx
from tests.conftest import BOX, Tenant
from tests.features.billing import an_account
from tests.features.invoicing.charging import a_charge, billed

EUR = currency_of("EUR")
GIVEN_BACK = ProviderAnswer(AttemptState.SUCCEEDED, "re-1")
REFUSED = ProviderAnswer(AttemptState.DECLINED, "re-1", "expired_or_canceled_card")


class Bank(PaymentProvider):
    """Collects all that it is asked for, and gives back by a script, or else at once."""

    name = "bank"
    capabilities = frozenset({Capability.COLLECT, Capability.REFUND})
    remembers_keys_for: timedelta | None = timedelta(hours=23)

    def __init__(self, *script: ProviderAnswer | Exception) -> None:
        self.script = list(script)
        self.asked: list[RefundRequest] = []
        self.known: dict[str, ProviderAnswer] = {}

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        reference = f"pay-{request.provider_key[-12:]}"
        return ProviderAnswer(AttemptState.SUCCEEDED, reference, amount=request.amount)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        return None

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        self.asked.append(request)
        step = self.script.pop(0) if self.script else GIVEN_BACK
        if isinstance(step, Exception):
            raise step
        return step

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        return self.known.get(provider_key)

    @property
    def providers(self) -> PaymentProviders:
        return PaymentProviders({**discover(), self.name: self})


def euros(amount_minor: int) -> Money:
    return Money(amount_minor, EUR)


async def an_invoice(tx: Tx, *amounts: int, **changes: Any) -> InvoiceId:
    """An invoice of a new account with a line for each amount, plus 19 %."""
    charges = [a_charge(amount, **changes) for amount in amounts]
    return (await billed(tx, await an_account(tx), *charges)).documents[0].id


@dataclass(frozen=True, slots=True)
class Till:
    """A tenant's money."""

    tenant: Tenant
    bank: Bank

    async def paid(
        self, invoice_id: UUID, amount_minor: int | None = None, provider: str = "bank"
    ) -> Payment:
        """All that is due on an invoice, or so much, has come."""
        async with self.tenant.tx() as tx:
            due_minor = (await invoice_by_id(tx, invoice_id)).due_minor
            command = StartPayment(
                invoice_id=invoice_id,
                amount=euros(due_minor if amount_minor is None else amount_minor),
                provider=provider,
                method=PaymentMethod.OTHER,
            )
            attempt = await start_payment(tx, command, providers=self.bank.providers)
        return await collect_attempt(
            self.tenant.tx, attempt.id, providers=self.bank.providers, box=BOX
        )

    async def a_payment(self, *amounts: int, paid_minor: int | None = None) -> Payment:
        """An invoice of these amounts, plus 19 %, and the money for it; more than is due has been seen by
        a person.
        """
        async with self.tenant.tx() as tx:
            invoice_id = await an_invoice(tx, *amounts)
        return await self.paid(invoice_id, paid_minor, "manual" if paid_minor else "bank")

    async def refunded(self, payment: Payment, **command: Any) -> Refund:
        """The refund that a person asked for, once the provider was asked."""
        refund = await self.reserved(payment, **command)
        return await self.executed(refund)

    async def reserved(self, payment: Payment, **command: Any) -> Refund:
        async with self.tenant.tx() as tx:
            return await refund_payment(
                tx, RefundPayment(payment_id=payment.id, reason="outage", **command)
            )

    async def executed(self, refund: Refund) -> Refund:
        return await execute_refund(self.tenant.tx, refund.id, providers=self.bank.providers)

    async def payment(self, payment: Payment) -> Payment:
        async with self.tenant.tx() as tx:
            return await payment_by_id(tx, payment.id)

    async def invoice(self, payment: Payment) -> Invoice:
        async with self.tenant.tx() as tx:
            return await invoice_by_id(tx, payment.invoice_id)

    async def credit(self, payment: Payment) -> int:
        async with self.tenant.tx() as tx:
            balance = await credit_balance(tx, payment.account_id, currency=EUR)
            return balance.amount_minor

    async def refunds(self, **filters: Any) -> list[Refund]:
        """All of them, the first one first."""
        async with self.tenant.tx() as tx:
            return (await list_refunds(tx, before=None, limit=100, **filters))[::-1]

    async def tasks(self) -> Sequence[str]:
        """What a person was asked to look at, in that order."""
        async with self.tenant.tx() as tx:
            rows = await tx.fetch("select kind from review_task order by id")
            return [row["kind"] for row in rows]

    async def events(self, like: str) -> Sequence[str]:
        async with self.tenant.tx() as tx:
            rows = await tx.fetch("select type from event where type like $1 order by id", like)
            return [row["type"] for row in rows]
