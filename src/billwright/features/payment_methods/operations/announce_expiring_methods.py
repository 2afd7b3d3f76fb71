"""Whose default method ends soon?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.payment_methods.events import PaymentMethodExpiring
from billwright.features.payment_methods.rules.expiry import last_announced
from billwright.features.payment_methods.sql.reads import unannounced_ends
from billwright.features.payment_methods.sql.writes import mark_announced
from billwright.runtime.db.tx import Tx

_BATCH_SIZE = 200


async def announce_expiring_methods(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None = None
) -> int:
    """Announce the end of a batch of default methods, each end once; returns how many there were."""
    ending = await unannounced_ends(
        tx, expires_by=last_announced(as_of), test_clock_id=test_clock_id, limit=_BATCH_SIZE
    )
    expiring = await mark_announced(tx, ending)
    for method in expiring:
        assert method.expires_on is not None  # noqa: S101 - the query leaves the others out
        tx.publish(
            PaymentMethodExpiring(
                subject_id=method.id,
                account_id=method.account_id,
                label=method.label,
                expires_on=method.expires_on,
            )
        )
        tx.audit(
            "payment_method.announce_expiry",
            subject_type="payment_method",
            subject_id=method.id,
            details={"expires_on": method.expires_on},
        )
    return len(expiring)
