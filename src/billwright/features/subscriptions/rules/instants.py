"""Which instants can a command take effect at?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.subscriptions.errors import effective_at_invalid
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.rules.transition import Facts


def require_since_last_change(
    subscription: Subscription, facts: Facts, *, at: datetime, now: datetime
) -> None:
    """Accept an instant of the running period that is not before a change which was made already: what
    a preview has reckoned with a moment ago. Refuses: `effective_at_invalid`.
    """
    begun = [subscription.period.start]
    begun += [one.charge.period_start for one in facts.live]
    begun += [
        item.accrues_from
        for item in subscription.items
        if item.accrues_from is not None and item.accrues_from < subscription.period.end
    ]
    if facts.reversed_at is not None and facts.reversed_at < subscription.period.end:
        begun.append(facts.reversed_at)
    if subscription.pause.at is not None:
        begun.append(subscription.pause.at)
    require_between(at, earliest=max(begun), latest=now)


def require_between(at: datetime, *, earliest: datetime, latest: datetime) -> None:
    """Refuses: `effective_at_invalid`."""
    if not earliest <= at <= latest:
        raise effective_at_invalid(
            pointer="/effective_at",
            effective_at=at.isoformat(),
            earliest=earliest.isoformat(),
            latest=latest.isoformat(),
        )
