"""How is usage corrected that was told wrongly?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.usage.errors import usage_cancellation_final, usage_event_unknown
from billwright.features.usage.model import (
    EventName,
    NewUsage,
    PropertyValue,
    RecordedEvent,
    UsagePlace,
)
from billwright.features.usage.operations.record_usage import record_events
from billwright.features.usage.sql.reads import recorded_events
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """An event that takes another one away and, with a quantity, its place: of the same subscription,
    and of the same type and time where it does not say otherwise.
    """

    name: EventName
    corrects: EventName
    quantity: Decimal | None = None
    meter: str | None = None
    occurred_at: datetime | None = None
    properties: Mapping[str, PropertyValue] | None = None


async def corrected_by(
    tx: Tx, corrections: Sequence[Correction]
) -> Mapping[tuple[str, str], RecordedEvent]:
    """The events that are corrected, by source and id. Refuses: `usage_event_unknown`."""
    found = await recorded_events(tx, {one.corrects for one in corrections})
    for number, one in enumerate(corrections):
        if one.corrects not in found:
            raise usage_event_unknown(
                pointer=f"/corrections/{number}/corrects",
                source=one.corrects.source,
                event_id=one.corrects.event_id,
            )
    return found


async def correct_usage(
    tx: Tx,
    corrections: Sequence[Correction],
    *,
    corrected: Mapping[tuple[str, str], RecordedEvent],
    places: Mapping[UUID, UsagePlace],
) -> Collection[tuple[str, str]]:
    """Record corrections of events that `corrected_by` has found, whose subscriptions are in `places`;
    which of them were new. What was billed of both times is looked at again.

    An event is corrected once; what took its place may be corrected in turn. Refuses:
    `usage_event_corrected`, `usage_cancellation_final`, and what `record_events` refuses.
    """
    told = []
    for one in corrections:
        before = corrected[one.corrects]
        if before.event.quantity is None:
            raise usage_cancellation_final(
                source=one.corrects.source, event_id=one.corrects.event_id
            )
        told.append((places[before.subscription_id], _event(one, before=before.event)))
    recorded = await record_events(
        tx,
        told,
        within="/corrections",
        taken_away=[
            (place, corrected[one.corrects].event.occurred_at)
            for one, (place, _) in zip(corrections, told, strict=True)
        ],
    )
    _audit(tx, told, recorded=recorded)
    return recorded


def _audit(
    tx: Tx,
    told: Sequence[tuple[UsagePlace, NewUsage]],
    *,
    recorded: Collection[tuple[str, str]],
) -> None:
    """An entry for each subscription, because what is owed was changed by hand. Other events are their
    own record of who told them.
    """
    new = Counter(
        place.subscription_id for place, event in told if (event.source, event.event_id) in recorded
    )
    for subscription_id, corrections in new.items():
        tx.audit(
            "usage.correct",
            subject_type="subscription",
            subject_id=subscription_id,
            details={"corrections": corrections},
        )


def _event(correction: Correction, *, before: NewUsage) -> NewUsage:
    return NewUsage(
        source=correction.name.source,
        event_id=correction.name.event_id,
        meter=correction.meter or before.meter,
        quantity=correction.quantity,
        occurred_at=correction.occurred_at or before.occurred_at,
        properties=correction.properties,
        corrects=correction.corrects,
    )
