"""How does somebody stop waiting for a payer?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.errors import payment_not_cancelable
from billwright.features.payments.model import Payment, PaymentState
from billwright.features.payments.operations.withdraw_waiting import withdraw_attempt
from billwright.features.payments.sql.reads import attempts_of, payment_by_id
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox


async def cancel_payment(
    open_tx: OpenTx, payment_id: UUID, *, providers: PaymentProviders, box: SecretBox
) -> Payment:
    """Withdraw a payment that waits for its payer; one that was canceled stays as it is.

    Refuses: `payment_unknown`, `payment_not_cancelable`.
    """
    async with open_tx() as tx:
        payment = await payment_by_id(tx, payment_id)
        attempts = await attempts_of(tx, payment_id)
    if payment.state is PaymentState.CANCELED:
        return payment
    waiting = [one for one in attempts if one.state is AttemptState.REQUIRES_ACTION]
    for attempt in waiting:
        await withdraw_attempt(open_tx, attempt, providers=providers, box=box)
    async with open_tx() as tx:
        payment = await payment_by_id(tx, payment_id)
        if not waiting or payment.state in {PaymentState.PENDING, PaymentState.SUCCEEDED}:
            raise payment_not_cancelable(payment_id=payment_id)
        tx.audit("payment.cancel", subject_type="payment", subject_id=payment_id)
        return payment
