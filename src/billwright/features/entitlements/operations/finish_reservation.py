"""What becomes of what was reserved?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.entitlements.errors import (
    reservation_not_held,
    reservation_too_small,
)
from billwright.features.entitlements.model import Reservation, ReservationState
from billwright.features.entitlements.operations.count_pools import meters_of
from billwright.features.entitlements.rules.reserving import (
    counted_properties,
    refuse_uncountable,
    refuse_unfit_amount,
)
from billwright.features.entitlements.sql.reads_reservations import (
    KeptReservation,
    ReservationStanding,
    reservation_by_id,
)
from billwright.features.entitlements.sql.writes_pools import lock_pools
from billwright.features.entitlements.sql.writes_reservations import (
    finish_reservation,
    lock_reservation,
)
from billwright.features.usage.model import MeterDefinition, NewUsage, PropertyValue, UsagePlace
from billwright.features.usage.operations.record_usage import record_events
from billwright.runtime.db.tx import Tx

SOURCE = "reservation"
"""The source of the usage that reservations record; an event has the id of its reservation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitReservation:
    """That so much of a reservation was used, by default all of it; the rest is free again.
    `properties` are those of the usage.
    """

    reservation_id: UUID
    amount: Decimal | None = None
    properties: Mapping[str, PropertyValue] = field(default_factory=dict)


async def commit_reservation(
    tx: Tx, command: CommitReservation, *, place: UsagePlace
) -> KeptReservation:
    """Record what was used of a reservation, at this instant, as usage of its subscription, which is
    the `place`. Committing again the same amount changes nothing.

    Refuses: `entitlement_reservation_unknown`, `entitlement_reservation_not_held`,
    `entitlement_reservation_too_small`, `entitlement_reservation_amount_invalid`,
    `entitlement_reservation_usage_not_counted`, and what `record_events` refuses.
    """
    kept = (await reservation_by_id(tx, command.reservation_id)).reservation
    # Whoever reserves holds the pool, and sees either the reservation or its usage.
    await lock_pools(tx, [kept.pool_id])
    await lock_reservation(tx, kept.id)
    known = await reservation_by_id(tx, kept.id)
    kept = known.reservation
    amount = kept.amount if command.amount is None else command.amount
    refuse_unfit_amount(amount)
    if kept.state is ReservationState.COMMITTED and kept.committed_amount == amount:
        return known
    _refuse_over(known)
    if amount > kept.amount:
        raise reservation_too_small(
            pointer="/amount", reserved=str(kept.amount), amount=str(amount)
        )
    meter = await _meter_of(tx, kept.feature)
    refuse_uncountable(meter, feature_code=kept.feature, amount=amount)
    properties = counted_properties(meter, amount=amount, given=command.properties)
    usage = NewUsage(
        source=SOURCE,
        event_id=str(kept.id),
        meter=meter.event_type,
        quantity=amount,
        occurred_at=place.now,
        properties=properties,
    )
    await record_events(tx, [(place, usage)])
    return await _finish(
        tx, replace(known, reservation=replace(kept, committed_amount=amount)), action="commit"
    )


async def release_reservation(tx: Tx, reservation_id: UUID) -> KeptReservation:
    """Give back what was reserved. Where it was released before, nothing changes.

    Refuses: `entitlement_reservation_unknown`, `entitlement_reservation_not_held`.
    """
    await lock_reservation(tx, reservation_id)
    known = await reservation_by_id(tx, reservation_id)
    if known.reservation.state is ReservationState.RELEASED:
        return known
    _refuse_over(known)
    return await _finish(tx, known, action="release")


async def _meter_of(tx: Tx, feature_code: str) -> MeterDefinition:
    feature = (await features_by_code(tx, [feature_code]))[feature_code]
    code = feature.meter or feature.code
    return (await meters_of(tx, [code]))[code]


def _refuse_over(known: KeptReservation) -> None:
    if known.standing is not ReservationStanding.HELD:
        raise reservation_not_held(reservation_id=known.reservation.id, state=known.standing.value)


async def _finish(tx: Tx, known: KeptReservation, *, action: str) -> KeptReservation:
    kept = known.reservation
    is_used = kept.committed_amount is not None
    finished: Reservation = replace(
        kept,
        state=ReservationState.COMMITTED if is_used else ReservationState.RELEASED,
        finished_at=known.now,
    )
    await finish_reservation(tx, finished)
    tx.audit(
        f"entitlement.{action}",
        subject_type="entitlement_reservation",
        subject_id=kept.id,
        details={"amount": kept.committed_amount},
    )
    return replace(known, reservation=finished)
