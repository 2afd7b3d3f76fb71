"""How does Stripe collect, refund, save methods and tell what became of them?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from billwright.features.payment_providers.errors import amount_unsupported, checkout_refused
from billwright.features.payment_providers.model import AttemptState, Decline, MethodKind
from billwright.features.payment_providers.port import (
    CallbackEvent,
    Capability,
    Checkout,
    CheckoutRequest,
    CollectRequest,
    Dispute,
    ListedPayment,
    ListedRefund,
    Payer,
    PaymentProvider,
    ProviderAnswer,
    ProviderUnavailable,
    RefundRequest,
    SavedMethod,
    SetupRequest,
)
from billwright.providers.payment.stripe.amounts import stripe_amount
from billwright.providers.payment.stripe.api import Call, Refused, StripeApi
from billwright.providers.payment.stripe.callbacks import read_body, require_signed
from billwright.providers.payment.stripe.declines import decline_of, failure_code_of
from billwright.providers.payment.stripe.history import History
from billwright.providers.payment.stripe.objects import (
    CHECKOUT_FLOW,
    StripeJson,
    checkout_answer,
    checkout_of,
    declined,
    dispute_of,
    id_of,
    payment_answer,
    refund_answer,
    setup_answer,
)


class StripeProvider(PaymentProvider):
    """One Stripe account; our key is the idempotency key and a part of the metadata of all we make."""

    name = "stripe"
    capabilities = frozenset(Capability)
    # Keys may be forgotten once they are 24 hours old; an hour less leaves room for two clocks.
    remembers_keys_for: timedelta | None = timedelta(hours=23)

    def __init__(
        self, secret_key: str, *, callback_secrets: Sequence[str], api: StripeApi | None = None
    ) -> None:
        self._api = api or StripeApi(secret_key)
        self._callback_secrets = tuple(callback_secrets)
        self._history = History(self._api)

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        """Charge a saved method. Without one nothing can be charged, which is a decline for good:
        the payer has to be sent to a checkout.
        """
        amount = stripe_amount(request.amount)
        if amount is None:
            return declined("amount_unsupported")
        if request.saved_method is None:
            return declined("payment_method_missing")
        params: StripeJson = {
            "amount": amount,
            "currency": request.amount.currency.code.lower(),
            "payment_method": request.saved_method.reference,
            "confirm": True,
            "metadata": _metadata(request, flow="collect", invoice_number=request.invoice_number),
            **_ways(request.saved_method),
        }
        if request.saved_method.payer_reference:
            params["customer"] = request.saved_method.payer_reference
        if not request.on_session:
            params["off_session"] = True
        elif request.return_url:
            params["return_url"] = request.return_url
        try:
            intent = await self._api.send(
                self._api.v1.payment_intents.create_async, params=params, key=request.provider_key
            )
        except Refused as refused:
            return _refusal(refused)
        return payment_answer(intent)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        intent = await self._history.payment(provider_key)
        if intent is not None:
            return await self._payment_now(intent)
        session = await self._history.checkout(provider_key)
        return None if session is None else await self._checkout_now(session)

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        amount = stripe_amount(request.amount)
        if amount is None:
            raise amount_unsupported(
                pointer="/amount", provider=self.name, amount=str(request.amount)
            )
        metadata = _metadata(request, flow=CHECKOUT_FLOW, invoice_number=request.invoice_number)
        intent: StripeJson = {"metadata": metadata}
        if request.saves_method:
            intent["setup_future_usage"] = "off_session"
        item = {
            "currency": request.amount.currency.code.lower(),
            "unit_amount": amount,
            "product_data": {"name": request.invoice_number},
        }
        return await self._open(
            {
                "mode": "payment",
                "line_items": [{"price_data": item, "quantity": 1}],
                "payment_intent_data": intent,
                "expires_at": int(request.expires_at.timestamp()),
                "metadata": metadata,
                **_pages(request),
                **_payer(request.payer, keeps=request.saves_method),
            },
            key=request.provider_key,
        )

    async def withdraw(self, reference: str) -> bool:
        if reference.startswith("cs_"):
            sessions = self._api.v1.checkout.sessions
            page = await self._ended(sessions.expire_async, reference, now=sessions.retrieve_async)
            return bool(page["status"] == "expired")
        intents = self._api.v1.payment_intents
        intent = await self._ended(
            intents.cancel_async,
            reference,
            now=intents.retrieve_async,
            cancellation_reason="abandoned",
        )
        return bool(intent["status"] == "canceled")

    async def open_setup(self, request: SetupRequest) -> Checkout:
        metadata = _metadata(request, flow="setup")
        return await self._open(
            {
                "mode": "setup",
                "currency": request.currency.code.lower(),
                "setup_intent_data": {"metadata": metadata},
                "metadata": metadata,
                **_pages(request),
                **_payer(request.payer, keeps=True),
            },
            key=request.provider_key,
        )

    async def detach(self, reference: str) -> None:
        methods = self._api.v1.payment_methods
        try:
            await self._api.send(
                methods.detach_async, reference, params={}, key=f"detach:{reference}"
            )
        except Refused:
            # What is gone already, or belongs to nobody any more, cannot be detached.
            left = await self._api.read(methods.retrieve_async, reference)
            if left is not None and left.get("customer"):
                raise ProviderUnavailable("Stripe: the method is not detached") from None

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        amount = stripe_amount(request.amount)
        if amount is None:
            return declined("amount_unsupported")
        payment = await self._payment_reference(request.payment_reference)
        if payment is None:
            return declined("payment_not_found")
        params = {
            "payment_intent": payment,
            "amount": amount,
            "metadata": _metadata(request, reason=request.reason[:500]),
        }
        try:
            refund = await self._api.send(
                self._api.v1.refunds.create_async, params=params, key=request.provider_key
            )
        except Refused as refused:
            return _refusal(refused)
        return refund_answer(refund)

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        refund = await self._history.refund(provider_key)
        return None if refund is None else refund_answer(refund)

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> CallbackEvent:
        require_signed(headers, body, secrets=self._callback_secrets, now=now)
        return read_body(body)

    def read_event(self, body: bytes) -> CallbackEvent:
        return read_body(body)

    async def look_up(self, reference: str) -> ProviderAnswer | None:
        v1 = self._api.v1
        match reference.partition("_")[0]:
            case "pi":
                intent = await self._retrieved(v1.payment_intents.retrieve_async, reference)
                return None if intent is None else await self._payment_now(intent)
            case "cs":
                session = await self._api.read(v1.checkout.sessions.retrieve_async, reference)
                return None if session is None else await self._checkout_now(session)
            case "seti":
                setup = await self._retrieved(v1.setup_intents.retrieve_async, reference)
                return None if setup is None else setup_answer(setup)
            case "re" | "pyr":
                refund = await self._api.read(v1.refunds.retrieve_async, reference)
                return None if refund is None else refund_answer(refund)
        return None

    def list_payments(self, *, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        return self._history.payments(since=since, until=until)

    def list_refunds(self, *, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        return self._history.refunds(since=since, until=until)

    def list_disputes(self, *, since: datetime, until: datetime) -> AsyncIterator[Dispute]:
        return self._history.disputes(since=since, until=until)

    async def find_dispute(self, reference: str) -> Dispute | None:
        found = await self._api.read(self._api.v1.disputes.retrieve_async, reference)
        return None if found is None else dispute_of(found)

    async def _open(self, params: StripeJson, *, key: str) -> Checkout:
        try:
            session = await self._api.send(
                self._api.v1.checkout.sessions.create_async, params=params, key=key
            )
        except Refused as refused:
            raise checkout_refused(
                provider=self.name, failure_code=failure_code_of(refused.error)
            ) from None
        return checkout_of(session)

    async def _ended(self, end: Call, reference: str, *, now: Call, **params: str) -> StripeJson:
        """What was to be ended, as it stands then; what can be ended no more has ended already, or has
        moved money.
        """
        try:
            return await self._api.send(end, reference, params=params, key=f"withdraw:{reference}")
        except Refused:
            found = await self._api.read(now, reference)
        if found is None:
            raise LookupError(f"there is nothing of the name {reference}")
        return found

    async def _retrieved(self, retrieve: Call, reference: str) -> StripeJson | None:
        return await self._api.read(retrieve, reference, params={"expand": ["payment_method"]})

    async def _payment_now(self, intent: StripeJson) -> ProviderAnswer:
        """What a payment comes to; one without an end yet may stand on a page that has ended."""
        answer = payment_answer(intent)
        on_page = intent["metadata"].get("flow") == CHECKOUT_FLOW
        if answer.state is not AttemptState.REQUIRES_ACTION or not on_page:
            return answer
        pages = await self._api.read(
            self._api.v1.checkout.sessions.list_async, params={"payment_intent": intent["id"]}
        )
        if pages is None or any(page["status"] == "open" for page in pages["data"]):
            return answer
        return declined(answer.failure_code or "checkout_expired", reference=intent["id"])

    async def _checkout_now(self, session: StripeJson) -> ProviderAnswer:
        """What a page comes to: what its payment does, or its setup, once there is one."""
        behind = id_of(session.get("payment_intent")) or id_of(session.get("setup_intent"))
        if behind is None or session["status"] == "expired":
            return checkout_answer(session)
        return await self.look_up(behind) or checkout_answer(session)

    async def _payment_reference(self, reference: str) -> str | None:
        """The payment intent behind a reference that may be a page's. Nothing is sent meanwhile."""
        if not reference.startswith("cs_"):
            return reference
        session = await self._api.read(self._api.v1.checkout.sessions.retrieve_async, reference)
        return None if session is None else id_of(session.get("payment_intent"))


def _metadata(
    request: CollectRequest | CheckoutRequest | SetupRequest | RefundRequest, **more: str
) -> dict[str, str]:
    tenant = {} if request.tenant_id is None else {"tenant_id": str(request.tenant_id)}
    return {"provider_key": request.provider_key, **tenant, **more}


def _ways(method: SavedMethod) -> dict[str, Any]:
    """Only the way that the method is for, since the account's others could want a page to return to."""
    if method.kind is MethodKind.OTHER:
        return {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    return {"payment_method_types": [method.kind.value]}


def _payer(payer: Payer, *, keeps: bool) -> dict[str, str]:
    if payer.reference:
        return {"customer": payer.reference}
    email = {"customer_email": payer.email} if payer.email else {}
    return {**email, "customer_creation": "always"} if keeps else email


def _pages(request: CheckoutRequest | SetupRequest) -> dict[str, str]:
    return {
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "client_reference_id": request.provider_key,
    }


def _refusal(refused: Refused) -> ProviderAnswer:
    """What a bank declines may pass another day; what Stripe itself refuses never will."""
    error = refused.error
    decline = decline_of(error) if refused.by_bank else Decline.HARD
    return ProviderAnswer(
        AttemptState.DECLINED, _named_payment(error), failure_code_of(error), decline=decline
    )


def _named_payment(error: StripeJson) -> str | None:
    return id_of(error.get("payment_intent"))
