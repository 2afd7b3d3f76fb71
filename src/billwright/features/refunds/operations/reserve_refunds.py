"""How is money reserved that is to go back?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.payments.model import MANUAL
from billwright.features.refunds.model import Refund
from billwright.features.refunds.operations.execute_refund import execute_later
from billwright.features.refunds.operations.update_refunded import update_refunded
from billwright.features.refunds.sql.writes import insert_refunds
from billwright.runtime.db.tx import Tx


async def reserve_refunds(tx: Tx, refunds: Sequence[Refund]) -> None:
    """Keep refunds whose bounds were checked under the locks of their accounts, so that nobody else gives
    the same money back. Once this is committed their providers are asked.
    """
    if not refunds:
        return
    await insert_refunds(tx, refunds)
    await update_refunded(tx, list({refund.payment_id for refund in refunds}))
    for refund in refunds:
        if refund.provider != MANUAL:
            execute_later(tx, refund.id)
        tx.audit(
            "refund.reserve",
            subject_type="refund",
            subject_id=refund.id,
            details={
                "payment_id": refund.payment_id,
                "credit_note_id": refund.credit_note_id,
                "origin": refund.origin,
                "provider": refund.provider,
                "amount_minor": refund.amount.amount_minor,
                "currency": refund.amount.currency.code,
            },
        )
