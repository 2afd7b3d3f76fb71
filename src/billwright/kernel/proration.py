"""Which share of a period is a part of it?

Shares are exact fractions of the whole period, so that those of adjoining parts sum to exactly 1.
Nothing is rounded here: an amount is rounded once per line, where the line is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from billwright.kernel.calendar import Period, local_date

_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


class Granularity(StrEnum):
    """What a part is measured in; a started second or day belongs to the later part."""

    SECOND = "second"
    DAY = "day"


def share_of(
    *,
    part_start: datetime,
    part_end: datetime,
    whole: Period,
    granularity: Granularity = Granularity.SECOND,
    zone: str = "UTC",
) -> Fraction:
    """The share from 0 to 1 of the part in the whole, unclipped period.

    Days are calendar dates of the zone, each of which is one day, whatever hours clocks skip or repeat
    in it. A period within one date has no days to divide by and is measured in seconds; one shorter
    than a second, which a move to another zone can leave, in microseconds. A part that is not inside
    the period raises `ValueError`.
    """
    if not whole.start <= part_start <= part_end <= whole.end:
        raise ValueError(f"{part_start} to {part_end} does not lie within {whole}")
    # A part is the difference of two positions, which is why adjoining parts sum to the whole.
    if granularity is Granularity.DAY:
        first_date = local_date(whole.start, zone)
        days = (local_date(whole.end, zone) - first_date).days
        if days > 0:
            return Fraction((local_date(part_end, zone) - local_date(part_start, zone)).days, days)
    step = _SECOND if whole.end - whole.start >= _SECOND else _MICROSECOND
    end_position = (part_end - whole.start) // step
    start_position = (part_start - whole.start) // step
    return Fraction(end_position - start_position, (whole.end - whole.start) // step)


def prorate(amount: Decimal | Fraction | int, share: Fraction) -> Fraction:
    """The exact amount for a share, in the unit of the amount given."""
    return Fraction(amount) * share
