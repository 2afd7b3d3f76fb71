"""When is the service of a charge, measured as its price is?"""

from __future__ import annotations

from datetime import datetime, timedelta

from billwright.features.invoicing.model import NewCharge
from billwright.kernel.calendar import Period
from billwright.kernel.proration import Granularity, share_of

_SECOND = timedelta(seconds=1)


def service_time(charge: NewCharge) -> tuple[datetime, datetime]:
    """The beginning and the end of a charge's time, so far apart as its share of the whole period says.

    Where parts are counted in days, an instant is moved to where the days before it end: a promotion
    of free time then uses up, and gets back, exactly what was priced, whatever the hour of a change is.
    """
    basis = charge.basis
    if (
        basis is None
        or basis.whole_start is None
        or basis.whole_end is None
        or basis.granularity is Granularity.SECOND
    ):
        return charge.period_start, charge.period_end
    whole = Period(0, basis.whole_start, basis.whole_end)
    start = _place_of(charge.period_start, whole, zone=basis.zone)
    return start, _place_of(charge.period_end, whole, zone=basis.zone)


def _place_of(instant: datetime, whole: Period, *, zone: str) -> datetime:
    """Whole seconds from the beginning, so that none is lost where a time is cut in two."""
    share = share_of(
        part_start=whole.start,
        part_end=instant,
        whole=whole,
        granularity=Granularity.DAY,
        zone=zone,
    )
    if share == 1:
        return whole.end
    return whole.start + int(share * ((whole.end - whole.start) // _SECOND)) * _SECOND
