"""When is it daytime at the customer's?"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from billwright.features.dunning.rules.policy import LocalHours
from billwright.kernel.calendar import local_date, resolve

_DAY = timedelta(days=1)


def in_daytime(instant: datetime, *, hours: LocalHours, zone: str) -> datetime:
    """The instant itself when it lies in the local hours, else the next at which they begin.

    Never an earlier one. Hours that a change of clocks skips altogether are passed over. Refuses:
    `zone_unknown`.
    """
    day = local_date(instant, zone)
    while True:
        opens, closes = (
            _at(day, hour=hours.opens, zone=zone),
            _at(day, hour=hours.closes, zone=zone),
        )
        if opens < closes and instant < closes:
            return max(instant, opens)
        day += _DAY


def _at(day: date, *, hour: int, zone: str) -> datetime:
    return resolve(datetime.combine(day, time()) + timedelta(hours=hour), zone)
