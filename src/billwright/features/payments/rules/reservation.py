"""What is a payment before its provider is asked?"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.payment_methods.model import StoredMethod
from billwright.features.payment_providers.model import AttemptState, PaymentMethod
from billwright.features.payments.model import (
    Attempt,
    AttemptId,
    Channel,
    Origin,
    Payment,
    PaymentId,
    PaymentState,
)
from billwright.features.payments.rules.next_check import next_check_at
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money


def new_payment(
    invoice: Invoice,
    *,
    amount: Money,
    origin: Origin,
    provider: str,
    now: datetime,
    method: PaymentMethod = PaymentMethod.OTHER,
    saved: StoredMethod | None = None,
    reference: str = "",
    received_on: date | None = None,
) -> Payment:
    """A payment that nobody has been asked for yet."""
    return Payment(
        id=PaymentId(new_id()),
        account_id=invoice.account_id,
        invoice_id=invoice.id,
        provider=provider,
        method=PaymentMethod(saved.kind.value) if saved else method,
        state=PaymentState.PENDING,
        amount=amount,
        reference=reference,
        received_on=received_on,
        origin=origin,
        saved_method_id=saved.id if saved else None,
        unapplied_minor=0,
        version=1,
        created_at=now,
        updated_at=now,
    )


def new_attempt(
    payment: Payment,
    *,
    machine_now: datetime,
    channel: Channel = Channel.COLLECT,
    page_expires_at: datetime | None = None,
    saves_method: bool = False,
) -> Attempt:
    """The payment's attempt; its instants are the machine's."""
    attempt_id = new_id()
    return Attempt(
        id=AttemptId(attempt_id),
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        state=AttemptState.CREATED,
        provider=payment.provider,
        provider_key=key_of(attempt_id),
        provider_reference=None,
        failure_code=None,
        next_check_at=next_check_at(machine_now, now=machine_now),
        created_at=machine_now,
        updated_at=machine_now,
        channel=channel,
        page_expires_at=page_expires_at,
        saves_method=saves_method,
    )


def key_of(attempt_id: UUID) -> str:
    """What the provider is told to know this attempt by, whenever it is asked for it."""
    return f"attempt:{attempt_id}"
