"""How is the usage of a pool followed, and is what was counted of it still right?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billwright.features.catalog.model import FeatureTerms, ResetKind
from billwright.features.entitlements.model import Counting
from billwright.features.usage.model import Aggregation, MeterDefinition, UsageTotal

_ADDED_UP = {Aggregation.SUM, Aggregation.COUNT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a pool remembers of the running totals: for a sum or a number of events, what they were
    without the usage of the segment; otherwise that usage and what they were. It may be lost.
    """

    quantity: Decimal | None = None
    events: int | None = None
    revision: int | None = None
    used: Decimal | None = None


NOTHING_COUNTED = Counted()


def adds_up(meter: MeterDefinition) -> bool:
    """Whether what is used in two parts of a window is what is used in both. Everything else is a level,
    which nothing is taken from.
    """
    return meter.aggregation in _ADDED_UP and not meter.carries_over


def is_level(meter: MeterDefinition, terms: FeatureTerms) -> bool:
    """Whether what counts is how much there is, or was in the last while, and not what was used up."""
    return not adds_up(meter) or terms.reset.kind is ResetKind.SLIDING_WINDOW


def counting_of(meter: MeterDefinition, terms: FeatureTerms) -> Counting:
    """The quickest way to follow what a meter counts."""
    if is_level(meter, terms) or meter.filters or meter.rounding is not None:
        return Counting.RECOUNT
    if meter.aggregation is Aggregation.COUNT:
        return Counting.EVENTS
    if meter.property is None and not meter.group_by:
        return Counting.QUANTITY
    return Counting.RECOUNT


def changes_with_time(meter: MeterDefinition, terms: FeatureTerms) -> bool:
    """Whether a count is another one later, also without any event."""
    return (
        meter.aggregation is Aggregation.WEIGHTED_SUM
        or terms.reset.kind is ResetKind.SLIDING_WINDOW
    )


def counted_at(total: UsageTotal, *, counting: Counting, used: Decimal) -> Counted:
    """What to remember of a segment of which so much is used."""
    match counting:
        case Counting.QUANTITY:
            return Counted(quantity=total.quantity - used, revision=total.revision)
        case Counting.EVENTS:
            return Counted(events=total.events - int(used), revision=total.revision)
        case Counting.RECOUNT:
            return Counted(events=total.events, revision=total.revision, used=used)


def used_since(counted: Counted, *, counting: Counting, total: UsageTotal) -> Decimal | None:
    """What is used of the segment by now; none when it has to be counted."""
    if counted.revision != total.revision:
        return None
    match counting:
        case Counting.QUANTITY:
            return None if counted.quantity is None else total.quantity - counted.quantity
        case Counting.EVENTS:
            return None if counted.events is None else Decimal(total.events - counted.events)
        case Counting.RECOUNT:
            return counted.used if counted.events == total.events else None
