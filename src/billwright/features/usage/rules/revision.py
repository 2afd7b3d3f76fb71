"""Is a meter still the one that a command was decided on?"""

from __future__ import annotations

from billwright.features.usage.errors import meter_stale
from billwright.features.usage.model import Meter


def require_revision(meter: Meter, expected: int | None) -> None:
    """Nothing is required where nothing is expected. Refuses: `meter_stale`."""
    if expected not in {None, meter.revision}:
        raise meter_stale(meter_code=meter.code, expected=expected, actual=meter.revision)
