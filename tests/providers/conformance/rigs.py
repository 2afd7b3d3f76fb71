"""How is every provider made to do the same, so that one suite can ask them all?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from stripe import WebhookSignature

from billwright.features.payment_providers.model import DisputeState, MethodKind, PaymentMethod
from billwright.features.payment_providers.port import (
    Capability,
    CheckoutRequest,
    CollectRequest,
    Payer,
    PaymentProvider,
    RefundRequest,
    SavedMethod,
    SetupRequest,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money
from billwright.providers.payment import discover
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.providers.payment.sandbox.signing import signed_headers
from billwright.providers.payment.stripe.api import StripeApi
from billwright.providers.payment.stripe.provider import StripeProvider
from tests.providers.fake_stripe_server import FakeServer, fake_stripe
from tests.providers.local_stripe import asked, local_stripe

SECRETS = ["whsec_new", "whsec_old"]
TENANT = UUID("01980000-0000-7000-8000-000000000001")
Signed = tuple[dict[str, str], bytes]


class Rig(Protocol):
    """A provider and the world around it.

    `methods` are references by what becomes of them: paid, soft, hard, slow, slow_soft (declined after
    a while), action.
    """

    @property
    def provider(self) -> PaymentProvider: ...

    @property
    def methods(self) -> Mapping[str, str]: ...

    @property
    def now(self) -> datetime: ...

    async def pay(self, reference: str) -> None:
        """Be the payer on a page."""
        ...

    async def authenticate(self, reference: str) -> None:
        """Be the payer who confirms a payment."""
        ...

    async def settle(self, reference: str, outcome: str) -> None:
        """Let pass what a slow payment takes; its method's outcome says how it ends."""
        ...

    async def dispute(self, reference: str, state: DisputeState) -> None:
        """Be the bank that wants the money back, or has decided."""
        ...

    async def give_back(self, reference: str, amount_minor: int) -> str:
        """Be a person who refunds a payment on the provider's own pages; what the refund is called."""
        ...

    def happened(self) -> list[bytes]:
        """The bodies of the callbacks that are due."""
        ...

    def sign(self, body: bytes, *, secret: str, at: datetime) -> dict[str, str]: ...

    def unheard_of(self) -> bytes:
        """An event of a type that nobody knows."""
        ...


class ManualRig:
    methods: Mapping[str, str] = {}
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)

    def __init__(self) -> None:
        self.provider = discover()["manual"]


class SandboxRig:
    methods: Mapping[str, str] = {
        "paid": "sandbox_paid",
        "soft": "sandbox_insufficient_funds",
        "hard": "sandbox_expired_card",
        "slow": "sandbox_slow",
        "slow_soft": "sandbox_slow_declined",
        "action": "sandbox_requires_action",
    }

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 15, 12, tzinfo=UTC)
        self.provider = SandboxProvider(lambda: self.now, callback_secrets=SECRETS)

    async def pay(self, reference: str) -> None:
        self.provider.complete(reference)

    async def authenticate(self, reference: str) -> None:
        self.provider.complete(reference)

    async def settle(self, reference: str, outcome: str) -> None:
        self.now += timedelta(minutes=1)

    async def dispute(self, reference: str, state: DisputeState) -> None:
        self.provider.dispute(reference, state=state)

    async def give_back(self, reference: str, amount_minor: int) -> str:
        return self.provider.give_back(reference, money(amount_minor))

    def happened(self) -> list[bytes]:
        return [callback.body for callback in self.provider.take_callbacks()]

    def sign(self, body: bytes, *, secret: str, at: datetime) -> dict[str, str]:
        return signed_headers("event", body, secret=secret, now=at)

    def unheard_of(self) -> bytes:
        event = {"id": "e", "type": "comet.seen", "created_at": self.now.isoformat()}
        return json.dumps(event).encode()


class FakeStripeRig:
    methods: Mapping[str, str] = {
        "paid": "pm_visa",
        "soft": "pm_declined_insufficient_funds",
        "hard": "pm_declined_lost_card",
        "slow": "pm_sepa",
        "slow_soft": "pm_sepa",
        "action": "pm_3ds",
    }

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.provider = StripeProvider(
            "sk_test_fake",
            callback_secrets=SECRETS,
            api=StripeApi("sk_test_fake", base_url=server.url),
        )

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.server.stripe.now, UTC)

    async def pay(self, reference: str) -> None:
        self.server.stripe.pay_page(reference)

    async def authenticate(self, reference: str) -> None:
        self.server.stripe.authenticate(reference)

    async def settle(self, reference: str, outcome: str) -> None:
        failure = "insufficient_funds" if outcome == "slow_soft" else None
        self.server.stripe.settle(reference, failure=failure)

    async def dispute(self, reference: str, state: DisputeState) -> None:
        if state is DisputeState.OPEN:
            self.server.stripe.dispute(reference)
        else:
            self.server.stripe.close_dispute(reference, state.value)

    async def give_back(self, reference: str, amount_minor: int) -> str:
        return self.server.stripe.give_back(reference, amount_minor)

    def happened(self) -> list[bytes]:
        events, self.server.stripe.events = self.server.stripe.events, []
        return [json.dumps(event, indent=2).encode() for event in events]

    def sign(self, body: bytes, *, secret: str, at: datetime) -> dict[str, str]:
        header = WebhookSignature.generate_signature_header(
            body.decode(), secret, timestamp=int(at.timestamp())
        )
        return {"Stripe-Signature": header}

    def unheard_of(self) -> bytes:
        event = self.server.stripe.event("comet.seen", {"id": "c_1", "object": "comet"})
        return json.dumps(event).encode()


class LocalStripeRig(FakeStripeRig):
    """Real answers to the real SDK, by somebody who read Stripe's documentation independently."""

    def __init__(self, url: str) -> None:
        self.provider = StripeProvider(
            "sk_test_local",
            callback_secrets=SECRETS,
            api=StripeApi("sk_test_local", base_url=url),
        )

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def prepare(self, url: str) -> None:
        """Its methods are made by number: https://docs.stripe.com/testing."""
        numbers = {
            "paid": "4242424242424242",
            "soft": "4000000000000341",
            "action": "4000002500003155",
        }
        made = {}
        for outcome, number in numbers.items():
            card = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
            form = {"type": "card", **{f"card[{name}]": value for name, value in card.items()}}
            made[outcome] = (await asked(url, "payment_methods", **form))["id"]
        self.methods = made


@asynccontextmanager
async def _manual() -> AsyncIterator[ManualRig]:
    yield ManualRig()


@asynccontextmanager
async def _sandbox() -> AsyncIterator[SandboxRig]:
    yield SandboxRig()


@asynccontextmanager
async def _fake_stripe() -> AsyncIterator[FakeStripeRig]:
    async with fake_stripe() as server:
        yield FakeStripeRig(server)


@asynccontextmanager
async def _local_stripe() -> AsyncIterator[LocalStripeRig]:
    with local_stripe() as url:
        rig = LocalStripeRig(url)
        await rig.prepare(url)
        yield rig


_OPENERS: dict[str, Any] = {
    "manual": _manual,
    "sandbox": _sandbox,
    "stripe": _fake_stripe,
    "stripe-localstripe": _local_stripe,
}

_EVERYTHING = set(Capability) | {"keys", "find", "outcomes", "bounds"}

# What a rig can be asked: the capabilities of its provider, and what its stand-in knows of the rest.
ABLE: dict[str, set[str]] = {
    "manual": {"collect", "keys"},
    "sandbox": _EVERYTHING,
    "stripe": _EVERYTHING,
    "stripe-localstripe": {"collect", "refund"},
}


def rigs(*needs: str) -> pytest.MarkDecorator:
    """Asks every provider whose rig is able to all of this."""
    names = [name for name, able in ABLE.items() if able.issuperset(needs)]
    return pytest.mark.parametrize("rig", names, indirect=True)


def rigged(name: str) -> AbstractAsyncContextManager[Rig]:
    opened: AbstractAsyncContextManager[Rig] = _OPENERS[name]()
    return opened


def new_key() -> str:
    return f"attempt:{new_id()}"


def money(amount_minor: int = 4629, currency: str = "EUR") -> Money:
    return Money(amount_minor, currency_of(currency))


def payer() -> Payer:
    return Payer(uuid4(), "Riverbank Books", "books@riverbank.example")


def saved(reference: str) -> SavedMethod:
    return SavedMethod(reference=reference, kind=MethodKind.CARD, label="Visa •••• 4242")


def to_collect(rig: Rig, outcome: str = "paid", **changes: Any) -> CollectRequest:
    reference = rig.methods.get(outcome)
    values: dict[str, Any] = {
        "provider_key": new_key(),
        "amount": money(),
        "invoice_number": "INV-2026-00001",
        "payer": payer(),
        "method": PaymentMethod.BANK_TRANSFER,
        "reference": "INV-2026-00001",
        "received_on": date(2026, 1, 14),
        "tenant_id": TENANT,
        "saved_method": saved(reference) if reference else None,
    }
    return CollectRequest(**{**values, **changes})


def to_check_out(rig: Rig, **changes: Any) -> CheckoutRequest:
    values: dict[str, Any] = {
        "provider_key": new_key(),
        "amount": money(),
        "invoice_number": "INV-2026-00001",
        "payer": payer(),
        "success_url": "https://seller.example/paid",
        "cancel_url": "https://seller.example/not-paid",
        "saves_method": False,
        "expires_at": rig.now + timedelta(hours=1),
        "tenant_id": TENANT,
    }
    return CheckoutRequest(**{**values, **changes})


def to_set_up() -> SetupRequest:
    return SetupRequest(
        provider_key=new_key(),
        payer=payer(),
        currency=currency_of("EUR"),
        success_url="https://seller.example/saved",
        cancel_url="https://seller.example/not-saved",
        tenant_id=TENANT,
    )


def to_refund(payment_reference: str, amount_minor: int, **changes: Any) -> RefundRequest:
    values: dict[str, Any] = {
        "provider_key": f"refund:{new_id()}",
        "payment_reference": payment_reference,
        "amount": money(amount_minor),
        "reason": "sent back",
        "tenant_id": TENANT,
    }
    return RefundRequest(**{**values, **changes})
