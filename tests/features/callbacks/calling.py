"""What do tests of callbacks start from? A provider that tells whatever the test wants it to tell."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from billwright.features.callbacks.jobs import retry_callbacks
from billwright.features.callbacks.model import Callback
from billwright.features.callbacks.operations.receive_callback import Delivery, receive_callback
from billwright.features.callbacks.sql.reads import list_callbacks
from billwright.features.invoicing.model import Invoice
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import PaymentProvider, PaymentProviders
from billwright.features.payments.model import Attempt
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.sql.reads import attempt_by_id
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.providers.payment.sandbox.signing import signed_headers
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, Tenant
from tests.features.payments.paying import EUR, TOTAL, Money

SECRET = "whsec_of_the_caller"
DEFAULT_TENANT = "default"


class Caller:
    """A sandbox whose events are made up by the test, signed and delivered as a request would be."""

    def __init__(
        self, database: Database, clock: FixedClock, *, provider: PaymentProvider | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self.sandbox = SandboxProvider(clock.now, callback_secrets=[SECRET])
        self.provider = provider or self.sandbox
        self.box: SecretBox = BOX
        self._numbers = itertools.count(1)

    @property
    def providers(self) -> PaymentProviders:
        return PaymentProviders({self.provider.name: self.provider})

    def event(self, kind: str = "payment", **facts: Any) -> bytes:
        """The body of an event; `kind` is payment, refund, setup, dispute or anything else."""
        amount_minor = facts.pop("amount_minor", TOTAL)
        event_id = facts.pop("event_id", None) or f"event-{next(self._numbers)}"
        at = facts.pop("at", None) or self.clock.now()
        tenant_id = facts.pop("tenant_id", None)
        thing = {
            "reference": "sandbox_payment_1",
            "provider_key": None,
            "tenant_id": tenant_id and str(tenant_id),
            "state": "succeeded",
            "failure_code": None,
            "decline": None,
            "amount_minor": amount_minor,
            "currency": "EUR",
            "dispute": "open",
            **facts,
        }
        event = {
            "id": event_id,
            "type": f"{kind}.changed",
            "created_at": at.isoformat(),
            "object": thing,
        }
        return json.dumps(event).encode()

    def about(self, attempt: Attempt, state: str = "succeeded", **facts: Any) -> bytes:
        """An event about an attempt that names neither its tenant nor anything else than the key."""
        return self.event(provider_key=attempt.provider_key, state=state, **facts)

    async def deliver(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        signed = signed_headers("any", body, secret=SECRET, now=self.clock.now())
        await receive_callback(
            self.database,
            Delivery(provider=self.provider.name, headers=headers or signed, body=body),
            providers=self.providers,
            box=self.box,
            default_tenant=DEFAULT_TENANT,
        )

    async def retry(self, tenant: Tenant) -> int:
        """What the worker does every minute."""
        work = replace(
            tenant.work("retry_callbacks"),
            providers={PaymentProviders: self.providers, SecretBox: self.box},
        )
        return await retry_callbacks(work)

    async def wait(self, tenant: Tenant, *, until: datetime) -> None:
        """Let time pass, and the worker do what becomes due meanwhile, one thing after the other."""
        while True:
            due = [one.next_attempt_at for one in await kept(tenant) if one.next_attempt_at]
            if not due or min(due) > until:
                break
            self.clock.move_to(max(min(due), self.clock.now()))
            await self.retry(tenant)
        self.clock.move_to(until)


async def kept(tenant: Tenant) -> list[Callback]:
    """A tenant's callbacks, the first one first."""
    async with tenant.tx() as tx:
        return (await list_callbacks(tx, before=None, limit=1000))[::-1]


async def states(tenant: Tenant) -> list[str]:
    return [callback.state.value for callback in await kept(tenant)]


async def asked(
    tenant: Tenant, invoice: Invoice, caller: Caller, *, amount_minor: int = TOTAL
) -> Attempt:
    """An attempt whose request was sent, and whose answer never came."""
    async with tenant.tx() as tx:
        attempt = await start_payment(
            tx,
            StartPayment(
                invoice_id=invoice.id,
                amount=Money(amount_minor, EUR),
                provider=caller.provider.name,
            ),
            providers=caller.providers,
        )
        await tx.execute(
            "update payment_attempt set state = 'submitted' where tenant_id = $1 and id = $2",
            tenant.id,
            attempt.id,
        )
    return attempt


async def attempt_state(tenant: Tenant, attempt_id: UUID) -> AttemptState:
    async with tenant.tx() as tx:
        return (await attempt_by_id(tx, attempt_id)).state
