"""Do payments know what goes back of them, now that their refunds have changed?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.payments.operations.note_refunds import note_refunds
from billwright.features.refunds.sql.reads import refunded_of_payments
from billwright.runtime.db.tx import Tx


async def update_refunded(tx: Tx, payment_ids: Sequence[UUID]) -> None:
    """Let payments, whose accounts are locked, say what was given back of them or is on its way."""
    await note_refunds(tx, await refunded_of_payments(tx, payment_ids))
