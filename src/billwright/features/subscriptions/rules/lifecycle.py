"""Which action is possible in which state?"""

from __future__ import annotations

from enum import StrEnum

from billwright.features.subscriptions.model import SubscriptionState as State
from billwright.kernel.state_machine import StateMachine


class Action(StrEnum):
    START = "start"
    START_TRIAL = "start_trial"
    AWAIT_PAYMENT = "await_payment"
    ACTIVATE = "activate"
    EXPIRE = "expire"
    EXTEND_TRIAL = "extend_trial"
    END_TRIAL = "end_trial"
    RENEW = "renew"
    CHANGE = "change"
    UNDO_CHANGE = "undo_change"
    PAUSE = "pause"
    RESUME = "resume"
    REDEEM = "redeem"
    SET_RENEWAL = "set_renewal"
    SET_COLLECTION = "set_collection"
    SCHEDULE_CANCELLATION = "schedule_cancellation"
    UNDO_CANCELLATION = "undo_cancellation"
    CANCEL = "cancel"
    MARK_PAST_DUE = "mark_past_due"
    RECOVER = "recover"
    MARK_UNPAID = "mark_unpaid"


def _same(action: Action, *states: State) -> dict[tuple[State, Action], State]:
    return {(state, action): state for state in states}


LIFECYCLE = StateMachine(
    {
        (State.SCHEDULED, Action.START): State.ACTIVE,
        (State.SCHEDULED, Action.START_TRIAL): State.TRIALING,
        (State.SCHEDULED, Action.AWAIT_PAYMENT): State.INCOMPLETE,
        (State.INCOMPLETE, Action.ACTIVATE): State.ACTIVE,
        (State.INCOMPLETE, Action.EXPIRE): State.EXPIRED,
        (State.TRIALING, Action.END_TRIAL): State.ACTIVE,
        (State.TRIALING, Action.PAUSE): State.PAUSED,
        (State.ACTIVE, Action.PAUSE): State.PAUSED,
        (State.PAUSED, Action.RESUME): State.ACTIVE,
        (State.SCHEDULED, Action.CANCEL): State.CANCELED,
        (State.INCOMPLETE, Action.CANCEL): State.EXPIRED,
        (State.TRIALING, Action.CANCEL): State.CANCELED,
        (State.ACTIVE, Action.CANCEL): State.CANCELED,
        (State.PAST_DUE, Action.CANCEL): State.CANCELED,
        (State.UNPAID, Action.CANCEL): State.CANCELED,
        (State.PAUSED, Action.CANCEL): State.CANCELED,
        (State.ACTIVE, Action.MARK_PAST_DUE): State.PAST_DUE,
        (State.PAST_DUE, Action.RECOVER): State.ACTIVE,
        (State.UNPAID, Action.RECOVER): State.ACTIVE,
        (State.PAST_DUE, Action.MARK_UNPAID): State.UNPAID,
        **_same(Action.EXTEND_TRIAL, State.TRIALING),
        **_same(Action.RENEW, State.ACTIVE, State.PAST_DUE),
        **_same(Action.CHANGE, State.SCHEDULED, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.UNDO_CHANGE, State.SCHEDULED, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.REDEEM, State.SCHEDULED, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.REDEEM, State.PAUSED, State.UNPAID),
        **_same(Action.SET_RENEWAL, State.SCHEDULED, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.SET_RENEWAL, State.PAUSED),
        **_same(Action.SET_COLLECTION, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.SCHEDULE_CANCELLATION, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.SCHEDULE_CANCELLATION, State.UNPAID, State.PAUSED),
        **_same(Action.UNDO_CANCELLATION, State.TRIALING, State.ACTIVE, State.PAST_DUE),
        **_same(Action.UNDO_CANCELLATION, State.UNPAID, State.PAUSED),
    },
)
