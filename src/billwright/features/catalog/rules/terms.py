"""Which terms may a plan have?"""

from __future__ import annotations

from billwright.features.catalog.errors import calendar_day_unsuitable, plan_term_out_of_range
from billwright.features.catalog.model import Alignment, PlanTerms
from billwright.kernel.calendar import Interval, IntervalUnit

_BOUNDS = {
    "calendar_day": (1, 31),
    "trial_days": (0, 730),
    "notice_days": (0, 3650),
    "commitment_days": (0, 3650),
}
_WITH_DAY_OF_MONTH = {IntervalUnit.MONTH, IntervalUnit.YEAR}


def check_terms(terms: PlanTerms, interval: Interval) -> None:
    """Accept terms within their bounds, and a day of month only where periods begin on one.

    Refuses: `plan_term_out_of_range`, `calendar_day_unsuitable`.
    """
    for term, (least, largest) in _BOUNDS.items():
        value = getattr(terms, term)
        if value is not None and not least <= value <= largest:
            raise plan_term_out_of_range(
                pointer=f"/terms/{term}", term=term, least=least, largest=largest
            )
    if terms.calendar_day is not None and (
        terms.alignment is not Alignment.CALENDAR or interval.unit not in _WITH_DAY_OF_MONTH
    ):
        raise calendar_day_unsuitable(pointer="/terms/calendar_day")
