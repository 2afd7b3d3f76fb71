"""Which action is possible in which state?"""

from __future__ import annotations

from enum import StrEnum

from billwright.features.subscriptions.model import SubscriptionState as State
from billwright.kernel.state_machine import StateMachine


class Action(StrEnum):
    RENEW = "renew"
    SCHEDULE_CANCELLATION = "schedule_cancellation"
    CANCEL = "cancel"


LIFECYCLE = StateMachine(
    {
        (State.ACTIVE, Action.RENEW): State.ACTIVE,
        (State.ACTIVE, Action.SCHEDULE_CANCELLATION): State.ACTIVE,
        (State.ACTIVE, Action.CANCEL): State.CANCELED,
    },
)
