"""How does the sandbox answer for what stands in its books?"""

from __future__ import annotations

from datetime import date

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    MethodKind,
)
from billwright.features.payment_providers.port import (
    Checkout,
    Dispute,
    ListedPayment,
    ListedRefund,
    ProviderAnswer,
    SavedMethod,
)
from billwright.providers.payment.sandbox.cards import CARDS
from billwright.providers.payment.sandbox.ledger import Entry


def listed_payment(entry: Entry) -> ListedPayment:
    return ListedPayment(
        reference=entry.reference,
        provider_key=entry.provider_key,
        tenant_id=entry.tenant_id,
        created_at=entry.created_at,
        answer=answer_of(entry),
    )


def listed_refund(entry: Entry) -> ListedRefund:
    return ListedRefund(
        reference=entry.reference,
        provider_key=None if entry.is_made_there else entry.provider_key,
        tenant_id=entry.tenant_id,
        payment_reference=entry.payment_reference,
        answer=answer_of(entry),
    )


def dispute_of(entry: Entry) -> Dispute:
    if entry.amount is None or entry.payment_reference is None:
        raise ValueError(f"{entry.reference} is no dispute")
    return Dispute(
        reference=entry.reference,
        payment_reference=entry.payment_reference,
        state=entry.dispute or DisputeState.OPEN,
        amount=entry.amount,
        reason="fraudulent",
        respond_by=None,
    )


def set_declined(entry: Entry, *, because: tuple[str, Decline]) -> None:
    entry.state = AttemptState.DECLINED
    entry.failure_code, entry.decline = because


def left_of(payment: Entry) -> int:
    if payment.state is not AttemptState.SUCCEEDED or payment.amount is None:
        return 0
    return payment.amount.amount_minor - payment.refunded_minor


def answer_of(entry: Entry) -> ProviderAnswer:
    waits = entry.state is AttemptState.REQUIRES_ACTION
    return ProviderAnswer(
        entry.state,
        entry.reference,
        entry.failure_code,
        action_url=entry.url if waits else None,
        decline=entry.decline,
        amount=None if entry.state is AttemptState.DECLINED else entry.amount,
        saved_method=entry.saved_method,
    )


def checkout_of(entry: Entry) -> Checkout:
    if entry.url is None or entry.expires_at is None:
        raise ValueError(f"{entry.provider_key} belongs to no page")
    return Checkout(entry.reference, entry.url, entry.expires_at)


def card_of(entry: Entry) -> SavedMethod:
    return SavedMethod(
        reference=f"sandbox_card_{entry.reference}",
        kind=MethodKind.CARD,
        label=CARDS[entry.card],
        payer_reference=f"sandbox_payer_{entry.provider_key}",
        expires_on=date(2099, 12, 31),
        fingerprint=f"sandbox_{entry.card}",
    )
