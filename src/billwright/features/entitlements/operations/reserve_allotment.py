"""How is something kept for whoever is about to use it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from billwright.features.entitlements.errors import (
    entitlement_exhausted,
    reservation_differs,
    reservation_not_entitled,
)
from billwright.features.entitlements.model import (
    Decided,
    DenialReason,
    Reservation,
    ReservationState,
)
from billwright.features.entitlements.operations.count_pools import meters_of
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.settle_pools import current_pools
from billwright.features.entitlements.rules.pool import PoolKey
from billwright.features.entitlements.rules.reserving import (
    refuse_uncountable,
    refuse_unfit_amount,
    subscription_for,
)
from billwright.features.entitlements.rules.standing import Standing, has_room, plain_quantity
from billwright.features.entitlements.sql.reads_reservations import (
    KeptReservation,
    account_now,
    accounts_of_sources,
    reservation_of_client,
)
from billwright.features.entitlements.sql.writes_reservations import insert_reservation
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx

_decided_from_json = msgspec.json.Decoder(Decided).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveAllotment:
    """So much of a feature, for so long, for an account or a subscription. `client_id` is the client's
    own, so that it may ask again.
    """

    feature_code: str
    amount: Decimal
    client_id: str
    lasting: timedelta
    account_id: UUID | None = None
    subscription_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A reservation, and how its pool stands now; none where nothing gives the feature any more."""

    kept: KeptReservation
    standing: Standing | None


async def reserve_allotment(tx: Tx, command: ReserveAllotment) -> Reserved:
    """Reserve something if the limit policy allows that much more to be used, beside what others have
    reserved: one decides after the other. The account is not locked.

    Refuses: `account_unknown`, `subscription_not_of_account`, `entitlement_not_given`,
    `entitlement_not_reservable`, `entitlement_reservation_amount_invalid`,
    `entitlement_reservation_subscription_ambiguous`, `entitlement_exhausted`,
    `entitlement_reservation_differs`.
    """
    refuse_unfit_amount(command.amount)
    account_id = await _account_of(tx, command)
    now = await account_now(tx, account_id)
    known = await reservation_of_client(tx, account_id, client_id=command.client_id)
    if known is not None:
        return await _repeated(tx, known, command=command)
    decided = _decided_from_json((await fresh_snapshot(tx, account_id)).decisions)
    subscription_id, place = subscription_for(
        decided,
        feature_code=command.feature_code,
        account_id=account_id,
        named=command.subscription_id,
        known=decided.subscriptions.keys(),
    )
    key = PoolKey(account_id, command.feature_code, place)
    standing = (await current_pools(tx, [key], now=now, held=True)).get(key)
    if standing is None:
        raise reservation_not_entitled(
            feature_code=command.feature_code, reason=DenialReason.NOT_ENTITLED.value
        )
    # The pool may have been waited for while somebody else reserved the same.
    known = await reservation_of_client(tx, account_id, client_id=command.client_id)
    if known is not None:
        return await _repeated(tx, known, command=command)
    await _refuse_without_room(tx, command, standing=standing)
    return await _reserve(tx, command, standing=standing, subscription_id=subscription_id, now=now)


async def _account_of(tx: Tx, command: ReserveAllotment) -> UUID:
    if command.account_id is not None:
        return command.account_id
    subscription_id = command.subscription_id
    accounts = await accounts_of_sources(tx, [subscription_id] if subscription_id else [])
    if subscription_id not in accounts:
        raise reservation_not_entitled(
            feature_code=command.feature_code, reason=DenialReason.NOT_ENTITLED.value
        )
    return accounts[subscription_id]


async def _refuse_without_room(tx: Tx, command: ReserveAllotment, *, standing: Standing) -> None:
    meter = standing.pool.definition.meter
    definition = (await meters_of(tx, [meter]))[meter]
    refuse_uncountable(definition, feature_code=command.feature_code, amount=command.amount)
    terms = standing.pool.definition.terms
    if not has_room(standing, command.amount, policy=terms.limit_policy, soft_cap=terms.soft_cap):
        resets_at = standing.pool.window_end
        raise entitlement_exhausted(
            feature_code=command.feature_code,
            limit=plain_quantity(standing.limit),
            used=plain_quantity(standing.used),
            remaining=plain_quantity(standing.remaining),
            resets_at=resets_at.isoformat() if resets_at else None,
        )


async def _reserve(
    tx: Tx,
    command: ReserveAllotment,
    *,
    standing: Standing,
    subscription_id: UUID,
    now: datetime,
) -> Reserved:
    reservation = Reservation(
        id=new_id(),
        client_id=command.client_id,
        account_id=standing.pool.definition.account_id,
        subscription_id=subscription_id,
        pool_id=standing.pool.id,
        feature=command.feature_code,
        amount=command.amount,
        committed_amount=None,
        state=ReservationState.HELD,
        expires_at=now + command.lasting,
        created_at=now,
        finished_at=None,
    )
    if not await insert_reservation(tx, reservation):
        raise reservation_differs(client_id=command.client_id)
    tx.audit(
        "entitlement.reserve",
        subject_type="entitlement_reservation",
        subject_id=reservation.id,
        details=command,
    )
    held = replace(standing, reserved=standing.reserved + command.amount)
    return Reserved(kept=KeptReservation(reservation=reservation, now=now), standing=held)


async def _repeated(tx: Tx, known: KeptReservation, *, command: ReserveAllotment) -> Reserved:
    kept = known.reservation
    asked = (command.feature_code, command.amount, command.subscription_id or kept.subscription_id)
    if (kept.feature, kept.amount, kept.subscription_id) != asked:
        raise reservation_differs(pointer="/client_id", client_id=command.client_id)
    return Reserved(kept=known, standing=await standing_beside(tx, known))


async def standing_beside(tx: Tx, known: KeptReservation) -> Standing | None:
    """How the pool of a reservation stands now."""
    kept = known.reservation
    keys = [PoolKey(kept.account_id, kept.feature, place) for place in (None, kept.subscription_id)]
    standings = (await current_pools(tx, keys, now=known.now)).values()
    return next((one for one in standings if one.pool.id == kept.pool_id), None)
