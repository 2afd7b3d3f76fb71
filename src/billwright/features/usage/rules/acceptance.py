"""May these events be recorded?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from billwright.features.usage.errors import usage_events_too_many, usage_quantity_invalid
from billwright.features.usage.model import NewUsage

EVENTS_AT_A_TIME = 1000

# Those of the column, so that nothing is rounded on its way there.
_LARGEST = Decimal(10) ** 14
_FINEST = Decimal("0.000001")


def refuse_unfit_events(events: Sequence[NewUsage]) -> None:
    """Refuses: `usage_events_too_many`, `usage_quantity_invalid`."""
    if len(events) > EVENTS_AT_A_TIME:
        raise usage_events_too_many(pointer="/events", limit=EVENTS_AT_A_TIME, count=len(events))
    for number, event in enumerate(events):
        if not _fits(event.quantity):
            raise usage_quantity_invalid(
                pointer=f"/events/{number}/quantity",
                quantity=str(event.quantity),
                event_id=event.event_id,
            )


def _fits(quantity: Decimal) -> bool:
    return (
        quantity.is_finite() and abs(quantity) < _LARGEST and quantity.quantize(_FINEST) == quantity
    )
