"""How is usage counted by hand? One event after the other, in fractions, without a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import groupby
from math import ceil, floor

from billwright.features.usage.model import Aggregation, MeterDefinition, NewUsage, WholeUnits

_PLAIN = re.compile(r"-?\d{1,14}(\.\d{1,12})?")


def counting(events: Iterable[NewUsage]) -> list[NewUsage]:
    """What is left when corrections have had their effect."""
    events = list(events)
    gone = {one.corrects for one in events if one.corrects is not None}
    return [
        one for one in events if one.quantity is not None and (one.source, one.event_id) not in gone
    ]


def by_hand(
    events: Iterable[NewUsage],
    definition: MeterDefinition,
    *,
    start: datetime,
    end: datetime,
    period: timedelta,
) -> Decimal | None:
    """The quantity of a window; none when nothing was counted."""
    known = sorted(
        (one for one in counting(events) if _chosen(one, definition) and one.occurred_at < end),
        key=lambda one: (one.occurred_at, one.source.encode(), one.event_id.encode()),
    )
    known = [one for one in known if _value(one, definition) is not None]
    if not definition.carries_over:
        known = [one for one in known if one.occurred_at >= start]
    groups: list[Fraction] = []
    for _, members in groupby(
        sorted(known, key=lambda one: _group(one, definition)),
        key=lambda one: _group(one, definition),
    ):
        amount = _aggregate(list(members), definition, start=start, end=end, period=period)
        if amount is not None:
            groups.append(amount)
    return _rounded(sum(groups, Fraction(0)), definition.rounding) if groups else None


def _chosen(event: NewUsage, definition: MeterDefinition) -> bool:
    properties = event.properties or {}
    return event.meter == definition.event_type and all(
        name in properties and _text(properties[name]) in values
        for name, values in definition.filters.items()
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _group(event: NewUsage, definition: MeterDefinition) -> tuple[str, ...]:
    properties = event.properties or {}
    return tuple(
        "=" + _text(properties[name]) if name in properties else "" for name in definition.group_by
    )


def _value(event: NewUsage, definition: MeterDefinition) -> Fraction | str | None:
    if definition.property is None:
        return Fraction(event.quantity or 0)
    value = (event.properties or {}).get(definition.property)
    if value is None:
        return None
    if definition.aggregation is Aggregation.UNIQUE_COUNT:
        return _text(value)
    # Plain decimal numbers only: what a source writes otherwise may be an accident.
    return Fraction(_text(value)) if _PLAIN.fullmatch(_text(value)) else None


def _aggregate(
    events: Sequence[NewUsage],
    definition: MeterDefinition,
    *,
    start: datetime,
    end: datetime,
    period: timedelta,
) -> Fraction | None:
    if definition.aggregation in {Aggregation.UNIQUE_COUNT, Aggregation.COUNT, Aggregation.SUM}:
        return _of_all([_value(one, definition) for one in events], definition.aggregation)
    # Of what was known before the window, only what was still held when it began counts.
    until = [*(one.occurred_at for one in events[1:]), end]
    held = [
        (Fraction(_value(one, definition) or 0), max(one.occurred_at, start), ending)
        for one, ending in zip(events, until, strict=True)
        if one.occurred_at >= start or ending > start
    ]
    if not held:
        return None
    values = [value for value, _, _ in held]
    microsecond = timedelta(microseconds=1)
    weighed = sum(value * ((after - at) // microsecond) for value, at, after in held)
    return {
        Aggregation.MAX: max(values),
        Aggregation.MIN: min(values),
        Aggregation.AVG: Fraction(sum(values)) / len(values),
        Aggregation.LATEST: values[-1],
        Aggregation.WEIGHTED_SUM: Fraction(weighed) / (period // microsecond),
    }[definition.aggregation]


def _of_all(values: Sequence[Fraction | str | None], aggregation: Aggregation) -> Fraction:
    if aggregation is Aggregation.UNIQUE_COUNT:
        return Fraction(len(set(values)))
    if aggregation is Aggregation.COUNT:
        return Fraction(len(values))
    return sum((Fraction(value or 0) for value in values), Fraction(0))


def _rounded(exact: Fraction, rounding: WholeUnits | None) -> Decimal:
    match rounding:
        case WholeUnits.CEIL:
            return Decimal(ceil(exact))
        case WholeUnits.FLOOR:
            return Decimal(floor(exact))
        case _:
            step = Decimal(1) if rounding else Decimal("0.000001")
            with localcontext(prec=200):
                # 200 digits tell any of these fractions from a half.
                number = Decimal(exact.numerator) / Decimal(exact.denominator)
                return number.quantize(step, rounding=ROUND_HALF_UP)
