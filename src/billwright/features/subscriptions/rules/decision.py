"""What comes of a decision that costs nothing and gives nothing now?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.transition import Transition
from billwright.kernel.event import Event


def keep_decision(
    before: Subscription,
    *,
    decided: Subscription,
    version: PlanVersion,
    action: str,
    event: Event,
    now: datetime,
) -> Transition:
    """The subscription as it was decided, at its next version, with the instant that follows from it."""
    after = replace(decided, version=before.version + 1, updated_at=now)
    return Transition(
        action=action,
        before=before,
        after=replace(after, next_action_at=next_action_at(after)),
        version=version,
        at=now,
        events=(event,),
    )
