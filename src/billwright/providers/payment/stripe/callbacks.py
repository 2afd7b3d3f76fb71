"""What does Stripe tell of its own accord, and is it Stripe that tells it?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import stripe

from billwright.features.payment_providers.model import AttemptState, EventKind
from billwright.features.payment_providers.port import (
    CALLBACK_TOLERANCE,
    CallbackEvent,
    CallbackInvalid,
    ProviderAnswer,
)
from billwright.providers.payment.stripe.objects import (
    StripeJson,
    checkout_answer,
    declined,
    dispute_of,
    id_of,
    instant_of,
    key_of,
    payment_answer,
    refund_answer,
    saved_method_of,
    setup_answer,
    tenant_of,
)

SUBSCRIBED_EVENTS = frozenset(
    """
    payment_intent.succeeded payment_intent.processing payment_intent.requires_action
    payment_intent.payment_failed payment_intent.canceled
    checkout.session.completed checkout.session.expired
    checkout.session.async_payment_succeeded checkout.session.async_payment_failed
    setup_intent.succeeded setup_intent.setup_failed setup_intent.canceled
    payment_method.updated payment_method.automatically_updated payment_method.detached
    mandate.updated
    refund.created refund.updated refund.failed
    charge.dispute.created charge.dispute.updated charge.dispute.closed
    charge.dispute.funds_withdrawn charge.dispute.funds_reinstated
    """.split()
)
"""Every other type is read as `other`."""


def require_signed(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
) -> None:
    """Raises `CallbackInvalid` unless one of the secrets has signed the body in the last minutes."""
    signature = next(
        (value for name, value in headers.items() if name.lower() == "stripe-signature"), ""
    )
    if not any(_is_signed(signature, body, secret=secret) for secret in secrets):
        raise CallbackInvalid("no secret in use has signed this body")
    signed_at = _signed_at(signature)
    if abs(now.timestamp() - signed_at) > CALLBACK_TOLERANCE.total_seconds():
        raise CallbackInvalid("the signature is too old, or from the future")


def read_body(body: bytes) -> CallbackEvent:
    """What a body says whose signature is right. Raises `CallbackInvalid`."""
    try:
        return _event_of(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CallbackInvalid("the body is no event that Stripe could have sent") from None


def _is_signed(signature: str, body: bytes, *, secret: str) -> bool:
    try:
        # Without its tolerance, which is measured on a clock that is not ours.
        stripe.WebhookSignature.verify_header(body, signature, secret, None)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True


def _signed_at(signature: str) -> int:
    """The time that is part of what was signed: the first one, as the SDK takes it."""
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    return int(stamps[0])


def _event_of(event: StripeJson) -> CallbackEvent:
    event_type, thing = event["type"], event["data"]["object"]
    facts: dict[str, Any] = {
        "event_id": event["id"],
        "created_at": instant_of(event["created"]),
        "type": event_type,
    }
    if event_type not in SUBSCRIBED_EVENTS:
        return CallbackEvent(**facts, kind=EventKind.OTHER)
    facts |= {"provider_key": key_of(thing), "tenant_id": tenant_of(thing)}
    family = event_type.split(".")[0]
    if family == "payment_intent":
        return CallbackEvent(
            **facts,
            kind=EventKind.PAYMENT,
            reference=thing["id"],
            answer=payment_answer(thing),
            leaves_question=bool(thing.get("setup_future_usage")) and _names_a_method(thing),
        )
    if family == "checkout":
        return _checkout_event(event_type, session=thing, facts=facts)
    if family == "refund":
        return CallbackEvent(
            **facts,
            kind=EventKind.REFUND,
            reference=thing["id"],
            payment_reference=id_of(thing.get("payment_intent")),
            answer=refund_answer(thing),
        )
    if family == "charge":
        dispute = dispute_of(thing)
        return CallbackEvent(
            **facts, kind=EventKind.DISPUTE, reference=thing["id"], dispute=dispute
        )
    return _method_event(event_type, thing=thing, facts=facts)


def _checkout_event(
    event_type: str, *, session: StripeJson, facts: dict[str, Any]
) -> CallbackEvent:
    if session["mode"] == "setup":
        # Which method was saved is not part of the page: the setup has to be looked up.
        reference = id_of(session.get("setup_intent")) or session["id"]
        complete = session["status"] == "complete"
        answer = ProviderAnswer(AttemptState.SUCCEEDED, reference) if complete else None
        return CallbackEvent(
            **facts,
            kind=EventKind.METHOD,
            reference=reference,
            answer=answer or declined("checkout_expired", reference=reference),
            leaves_question=complete,
        )
    answer = checkout_answer(session)
    if event_type == "checkout.session.async_payment_failed":
        answer = declined("async_payment_failed", reference=answer.provider_reference)
    return CallbackEvent(**facts, kind=EventKind.PAYMENT, reference=session["id"], answer=answer)


def _method_event(event_type: str, *, thing: StripeJson, facts: dict[str, Any]) -> CallbackEvent:
    if event_type.startswith("setup_intent."):
        return CallbackEvent(
            **facts,
            kind=EventKind.METHOD,
            reference=thing["id"],
            answer=setup_answer(thing),
            leaves_question=_names_a_method(thing),
        )
    if event_type == "mandate.updated":
        return CallbackEvent(
            **facts,
            kind=EventKind.METHOD,
            reference=id_of(thing.get("payment_method")),
            method_removed=thing["status"] == "inactive",
        )
    removed = event_type == "payment_method.detached"
    answer = ProviderAnswer(
        AttemptState.SUCCEEDED, thing["id"], saved_method=saved_method_of(thing)
    )
    return CallbackEvent(
        **facts,
        kind=EventKind.METHOD,
        reference=thing["id"],
        answer=None if removed else answer,
        method_removed=removed,
    )


def _names_a_method(thing: StripeJson) -> bool:
    """Whether something has succeeded with a method of which the event has no more than the id."""
    return thing["status"] == "succeeded" and isinstance(thing.get("payment_method"), str)
