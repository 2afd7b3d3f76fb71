"""What does the database know of reservations?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from billwright.features.accounts.errors import account_unknown
from billwright.features.entitlements.errors import reservation_unknown
from billwright.features.entitlements.model import Reservation, ReservationState
from billwright.runtime.db.tx import Tx

_COLUMNS = """r.id, r.client_id, r.account_id, r.subscription_id, r.pool_id, r.feature_code, r.amount,
    r.committed_amount, r.state, r.expires_at, r.created_at, r.finished_at, c.now as clock_now
    from entitlement_reservation r
    join account o on o.tenant_id = r.tenant_id and o.id = r.account_id
    left join test_clock c on c.tenant_id = r.tenant_id and c.id = o.test_clock_id
    where r.tenant_id = $1"""


class ReservationStanding(StrEnum):
    """How a reservation stands at its account's time."""

    HELD = "held"
    EXPIRED = "expired"
    COMMITTED = "committed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReservation:
    """A reservation with its account's own time."""

    reservation: Reservation
    now: datetime

    @property
    def standing(self) -> ReservationStanding:
        kept = self.reservation
        if kept.state is ReservationState.HELD and kept.expires_at <= self.now:
            return ReservationStanding.EXPIRED
        return ReservationStanding(kept.state.value)


async def reservation_by_id(tx: Tx, reservation_id: UUID) -> KeptReservation:
    """One reservation. Refuses: `entitlement_reservation_unknown`."""
    row = await tx.fetch_row(f"select {_COLUMNS} and r.id = $2", tx.tenant_id, reservation_id)
    if row is None:
        raise reservation_unknown(reservation_id=reservation_id)
    return _reservation_from_row(tx, row)


async def reservation_of_client(
    tx: Tx, account_id: UUID, *, client_id: str
) -> KeptReservation | None:
    """The reservation to which its account's client has given this id."""
    row = await tx.fetch_row(
        f"select {_COLUMNS} and r.account_id = $2 and r.client_id = $3",
        tx.tenant_id,
        account_id,
        client_id,
    )
    return _reservation_from_row(tx, row) if row else None


async def list_reservations(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    subscription_id: UUID | None = None,
    feature: str | None = None,
    standing: ReservationStanding | None = None,
) -> list[KeptReservation]:
    """Reservations, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} and ($2::uuid is null or r.id < $2)
                and ($4::uuid is null or r.account_id = $4)
                and ($5::uuid is null or r.subscription_id = $5)
                and ($6::text is null or r.feature_code = $6)
                and ($7::text is null or $7 = case
                    when r.state = 'held' and r.expires_at <= coalesce(c.now, $8) then 'expired'
                    else r.state end)
            order by r.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        subscription_id,
        feature,
        standing,
        tx.now,
    )
    return [_reservation_from_row(tx, row) for row in rows]


async def account_now(tx: Tx, account_id: UUID) -> datetime:
    """What time it is for an account that is not locked. Refuses: `account_unknown`."""
    row = await tx.fetch_row(
        """select c.now from account a
           left join test_clock c on c.tenant_id = a.tenant_id and c.id = a.test_clock_id
           where a.tenant_id = $1 and a.id = $2""",
        tx.tenant_id,
        account_id,
    )
    if row is None:
        raise account_unknown(account_id=account_id)
    now: datetime | None = row["now"]
    return now or tx.now


async def accounts_of_sources(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Whose subscriptions these are; those that give nothing are absent."""
    rows = await tx.fetch(
        """select subscription_id, account_id from entitlement_source
           where tenant_id = $1 and subscription_id = any($2::uuid[])""",
        tx.tenant_id,
        list(subscription_ids),
    )
    return {row["subscription_id"]: row["account_id"] for row in rows}


def _reservation_from_row(tx: Tx, row: asyncpg.Record) -> KeptReservation:
    return KeptReservation(
        reservation=Reservation(
            id=row["id"],
            client_id=row["client_id"],
            account_id=row["account_id"],
            subscription_id=row["subscription_id"],
            pool_id=row["pool_id"],
            feature=row["feature_code"],
            amount=row["amount"],
            committed_amount=row["committed_amount"],
            state=ReservationState(row["state"]),
            expires_at=row["expires_at"],
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        ),
        now=row["clock_now"] or tx.now,
    )
