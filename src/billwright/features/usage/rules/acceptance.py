"""May these events be recorded, and what have they to do with what was billed?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from billwright.features.usage.errors import usage_events_too_many, usage_quantity_invalid
from billwright.features.usage.model import LateUsage, NewUsage, UsagePlace

EVENTS_AT_A_TIME = 1000

GRACE = timedelta(days=1)
"""How long stragglers of a billed window are waited for, so that all of them are one adjustment."""

# Those of the column, so that nothing is rounded on its way there.
_LARGEST = Decimal(10) ** 14
_PLACES = 6


def refuse_unfit_events(events: Sequence[NewUsage], *, within: str = "/events") -> None:
    """Refuses: `usage_events_too_many`, `usage_quantity_invalid`."""
    if len(events) > EVENTS_AT_A_TIME:
        raise usage_events_too_many(pointer=within, limit=EVENTS_AT_A_TIME, count=len(events))
    # Quantities repeat, so that each is looked at once.
    quantities = {event.quantity for event in events}
    if all(one is None or fits(one) for one in quantities):
        return
    for number, event in enumerate(events):
        if event.quantity is not None and not fits(event.quantity):
            raise usage_quantity_invalid(
                pointer=f"{within}/{number}/quantity",
                quantity=str(event.quantity),
                event_id=event.event_id,
            )


def fits(quantity: Decimal) -> bool:
    """Whether a quantity can be kept as it is; zeros at its end do not count."""
    if not quantity.is_finite() or not -_LARGEST < quantity < _LARGEST:
        return False
    exponent = quantity.as_tuple().exponent
    return (isinstance(exponent, int) and exponent >= -_PLACES) or (
        quantity == round(quantity, _PLACES)
    )


def is_same(recorded: NewUsage, *, told: NewUsage) -> bool:
    """Whether an event was told again with the same values: `1` and `true` are two."""
    return recorded == told and _canonical(recorded) == _canonical(told)


def _canonical(event: NewUsage) -> bytes:
    return msgspec.json.encode(event.properties, order="deterministic")


def late_usage(told: Iterable[tuple[UsagePlace, datetime]]) -> list[LateUsage]:
    """What is to be looked at again, since usage of these instants was billed before it was known."""
    return merged(
        LateUsage(
            account_id=place.account_id,
            subscription_id=place.subscription_id,
            occurred_from=occurred_at,
            occurred_until=occurred_at,
            due_at=place.now + GRACE,
        )
        for place, occurred_at in told
        if place.closed_until is not None and occurred_at < place.closed_until
    )


def merged(late: Iterable[LateUsage]) -> list[LateUsage]:
    """One span for each subscription, over all that are given."""
    spans: dict[UUID, LateUsage] = {}
    for one in late:
        known = spans.get(one.subscription_id, one)
        spans[one.subscription_id] = replace(
            known,
            occurred_from=min(known.occurred_from, one.occurred_from),
            occurred_until=max(known.occurred_until, one.occurred_until),
            due_at=min(known.due_at, one.due_at),
        )
    return list(spans.values())
