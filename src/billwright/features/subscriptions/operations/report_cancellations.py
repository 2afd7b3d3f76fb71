"""Who has canceled in which month, and why?"""

from __future__ import annotations

from datetime import date, datetime, time

from billwright.features.subscriptions.errors import report_period_invalid
from billwright.features.subscriptions.sql.reads_cancellations import (
    CancellationCount,
    count_cancellations,
)
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import resolve
from billwright.runtime.db.tx import Tx

MOST_MONTHS = 24


async def report_cancellations(tx: Tx, *, since: date, until: date) -> list[CancellationCount]:
    """What was asked for from a day up to before another, days and months being the seller's. Refuses:
    `report_period_invalid`.
    """
    if not since < until <= _months_later(since):
        raise report_period_invalid(pointer="/until", months=MOST_MONTHS, since=since, until=until)
    zone = (await the_seller(tx)).zone
    return await count_cancellations(
        tx, since=_midnight(since, zone), until=_midnight(until, zone), zone=zone
    )


def _months_later(day: date) -> date:
    """The same day after the most months, or the first of the next month where there is none."""
    years, month = divmod(day.month - 1 + MOST_MONTHS, 12)
    try:
        return day.replace(year=day.year + years, month=month + 1)
    except ValueError:
        return date(day.year + years, month + 2, 1)


def _midnight(day: date, zone: str) -> datetime:
    return resolve(datetime.combine(day, time()), zone)
