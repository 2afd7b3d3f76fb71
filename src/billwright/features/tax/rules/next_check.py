"""When is a VAT id checked again?"""

from __future__ import annotations

from datetime import datetime, timedelta

from billwright.features.tax.model import VatIdStatus

# A register that does not answer is asked again soon, then less and less often, then daily.
_PAUSES = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
_DAILY = timedelta(days=1)
# Registrations end, and new ones appear in the register late.
_AFTER = {VatIdStatus.VALID: timedelta(days=30), VatIdStatus.INVALID: timedelta(days=7)}


def next_check_at(status: VatIdStatus, *, attempts: int, now: datetime) -> datetime:
    """The instant of the next question after an answer, or after `attempts` questions without one."""
    if status in _AFTER:
        return now + _AFTER[status]
    return now + (_PAUSES[attempts - 1] if attempts <= len(_PAUSES) else _DAILY)
