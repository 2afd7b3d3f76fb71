"""What does one of Stripe's objects say of money?

The objects are as the API and its callbacks write them; only members that every API version since
2022 has are read.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    MethodKind,
)
from billwright.features.payment_providers.port import (
    CHECKOUT_EXPIRED,
    Checkout,
    Dispute,
    ProviderAnswer,
    SavedMethod,
)
from billwright.providers.payment.stripe.amounts import money_of
from billwright.providers.payment.stripe.declines import decline_of, failure_code_of

StripeJson: TypeAlias = dict[str, Any]

CHECKOUT_FLOW = "checkout"

_REFUND_STATES = {
    "pending": AttemptState.PROCESSING,
    "requires_action": AttemptState.REQUIRES_ACTION,
    "succeeded": AttemptState.SUCCEEDED,
}
_DISPUTE_STATES = {
    "won": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def instant_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def metadata_of(thing: StripeJson) -> dict[str, str]:
    return thing.get("metadata") or {}


def key_of(thing: StripeJson) -> str | None:
    """Our key of what this object came from; none for what somebody else made."""
    return metadata_of(thing).get("provider_key")


def tenant_of(thing: StripeJson) -> UUID | None:
    try:
        return UUID(metadata_of(thing).get("tenant_id", ""))
    except ValueError:
        return None


def id_of(member: Any) -> str | None:
    """The id of a member that is an id, or the whole object where it was asked for."""
    return member.get("id") if isinstance(member, dict) else member


def payment_answer(intent: StripeJson) -> ProviderAnswer:
    """How a payment intent stands.

    On a checkout page a payer whose card was declined may try the next one, so that there a decline
    is not the end: only the page's own end is.
    """
    status, reference = intent["status"], intent["id"]
    error = intent.get("last_payment_error") or {}
    received = intent.get("amount_received") if status == "succeeded" else None
    amount = money_of(received or intent["amount"], intent["currency"])
    method = intent.get("payment_method")
    # One that was not to be kept belongs to nobody, and could not be charged again.
    saved = None
    if isinstance(method, dict) and method.get("customer"):
        saved = saved_method_of(method)
    if status == "succeeded":
        return ProviderAnswer(AttemptState.SUCCEEDED, reference, amount=amount, saved_method=saved)
    if status in {"processing", "requires_capture"}:
        return ProviderAnswer(AttemptState.PROCESSING, reference, amount=amount)
    if status == "canceled":
        reason = intent.get("cancellation_reason") or "canceled"
        code = CHECKOUT_EXPIRED if _on_page(intent) else reason
        # It says nothing of the method, which nobody has refused.
        return ProviderAnswer(AttemptState.DECLINED, reference, code, decline=Decline.SOFT)
    if status == "requires_payment_method" and error and not _on_page(intent):
        return ProviderAnswer(
            AttemptState.DECLINED, reference, failure_code_of(error), decline=decline_of(error)
        )
    return ProviderAnswer(
        AttemptState.REQUIRES_ACTION,
        reference,
        failure_code_of(error) if error else None,
        action_url=_action_url(intent),
        amount=amount,
    )


def checkout_answer(session: StripeJson) -> ProviderAnswer:
    """How a checkout page stands; once money has to do with it, under the payment's reference."""
    reference = id_of(session.get("payment_intent")) or session["id"]
    if session["status"] == "expired":
        return declined(CHECKOUT_EXPIRED, reference=reference)
    amount = None
    if session.get("amount_total") is not None and session.get("currency"):
        amount = money_of(session["amount_total"], session["currency"])
    if session["status"] == "complete":
        paid = session["payment_status"] != "unpaid"
        state = AttemptState.SUCCEEDED if paid else AttemptState.PROCESSING
        return ProviderAnswer(state, reference, amount=amount)
    return ProviderAnswer(
        AttemptState.REQUIRES_ACTION, reference, action_url=session.get("url"), amount=amount
    )


def setup_answer(setup: StripeJson) -> ProviderAnswer:
    """How a setup intent stands, with the method that it saved when that was asked for."""
    method = setup.get("payment_method")
    if setup["status"] == "succeeded":
        saved = saved_method_of(method) if isinstance(method, dict) else None
        return ProviderAnswer(AttemptState.SUCCEEDED, setup["id"], saved_method=saved)
    if setup["status"] == "processing":
        return ProviderAnswer(AttemptState.PROCESSING, setup["id"])
    if setup["status"] == "canceled":
        return declined("canceled", reference=setup["id"])
    error = setup.get("last_setup_error") or {}
    return ProviderAnswer(
        AttemptState.REQUIRES_ACTION, setup["id"], failure_code_of(error) if error else None
    )


def refund_answer(refund: StripeJson) -> ProviderAnswer:
    """How a refund stands; one that failed or was canceled is declined."""
    state = _REFUND_STATES.get(refund["status"])
    if state is None:
        return declined(refund.get("failure_reason") or refund["status"], reference=refund["id"])
    return ProviderAnswer(
        state, refund["id"], amount=money_of(refund["amount"], refund["currency"])
    )


def dispute_of(dispute: StripeJson) -> Dispute:
    """A dispute, or an inquiry that may become one."""
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    return Dispute(
        reference=dispute["id"],
        payment_reference=id_of(dispute.get("payment_intent")),
        state=_DISPUTE_STATES.get(dispute["status"], DisputeState.OPEN),
        amount=money_of(dispute["amount"], dispute["currency"]),
        reason=dispute["reason"],
        respond_by=None if due_by is None else instant_of(due_by),
    )


def saved_method_of(method: StripeJson) -> SavedMethod:
    """What may be shown of a payment method."""
    kind = method["type"]
    details = method.get(kind) or {}
    expires_on = None
    if kind == "card":
        brand = str(details.get("brand") or "card")
        year, month = int(details["exp_year"]), int(details["exp_month"])
        expires_on = date(year, month, monthrange(year, month)[1])
    else:
        brand = "SEPA" if kind == "sepa_debit" else kind
    name = brand if brand.isupper() else brand.replace("_", " ").title()
    last_digits = details.get("last4")
    return SavedMethod(
        reference=method["id"],
        kind=MethodKind(kind) if kind in {"card", "sepa_debit"} else MethodKind.OTHER,
        label=f"{name} •••• {last_digits}" if last_digits else name,
        payer_reference=id_of(method.get("customer")),
        expires_on=expires_on,
        fingerprint=details.get("fingerprint"),
    )


def checkout_of(session: StripeJson) -> Checkout:
    return Checkout(session["id"], session["url"], instant_of(session["expires_at"]))


def declined(failure_code: str, *, reference: str | None = None) -> ProviderAnswer:
    """A no that is final for this method and this amount."""
    return ProviderAnswer(AttemptState.DECLINED, reference, failure_code, decline=Decline.HARD)


def _on_page(intent: StripeJson) -> bool:
    return metadata_of(intent).get("flow") == CHECKOUT_FLOW


def _action_url(intent: StripeJson) -> str | None:
    action = intent.get("next_action") or {}
    url: str | None = (action.get("redirect_to_url") or {}).get("url")
    return url
