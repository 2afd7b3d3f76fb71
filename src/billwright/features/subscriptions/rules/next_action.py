"""When must a job look at a subscription again?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.subscriptions.model import SubscriptionState
from billwright.kernel.calendar import Period


def next_action_at(
    *, state: SubscriptionState, period: Period, cancel_at: datetime | None
) -> datetime | None:
    """Its end when that comes first, else its period's end; never, once it has ended."""
    if state is not SubscriptionState.ACTIVE:
        return None
    return period.end if cancel_at is None else min(cancel_at, period.end)
