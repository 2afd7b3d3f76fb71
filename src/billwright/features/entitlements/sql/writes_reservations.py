"""How do reservations change?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.entitlements.model import Reservation
from billwright.runtime.db.tx import Tx


async def insert_reservation(tx: Tx, reservation: Reservation) -> bool:
    """Store a reservation; false when its client has given another one the same id."""
    inserted = await tx.insert(
        "entitlement_reservation",
        [
            {
                "id": reservation.id,
                "client_id": reservation.client_id,
                "account_id": reservation.account_id,
                "subscription_id": reservation.subscription_id,
                "pool_id": reservation.pool_id,
                "feature_code": reservation.feature,
                "amount": reservation.amount,
                "state": reservation.state,
                "expires_at": reservation.expires_at,
                "created_at": reservation.created_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def lock_reservation(tx: Tx, reservation_id: UUID) -> None:
    """Hold a reservation until the commit."""
    await tx.execute(
        "select from entitlement_reservation where tenant_id = $1 and id = $2 for no key update",
        tx.tenant_id,
        reservation_id,
    )


async def finish_reservation(tx: Tx, reservation: Reservation) -> None:
    """Store what became of a reservation."""
    await tx.execute(
        """update entitlement_reservation
           set state = $3, committed_amount = $4, finished_at = $5
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        reservation.id,
        reservation.state,
        reservation.committed_amount,
        reservation.finished_at,
    )
