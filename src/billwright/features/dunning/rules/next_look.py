"""When is a case looked at of itself, and what is found then?"""

from __future__ import annotations

from datetime import datetime, timedelta

from billwright.features.dunning.rules.case import (
    Case,
    CaseEvent,
    MethodRemoved,
    NotAttempted,
    Retry,
    Settled,
    TimePassed,
    Unsettled,
)
from billwright.features.dunning.rules.policy import DunningPolicy
from billwright.features.dunning.rules.progress import after, due_at
from billwright.features.dunning.rules.records import Debt, settlement_of

# The outcome of an attempt comes with the commit that records it. That it never does would be a bug,
# and must not leave a debt unpursued.
_LOOKED_AFTER_EVERY = timedelta(days=1)


def next_look(case: Case, policy: DunningPolicy, *, now: datetime) -> datetime | None:
    """When time alone changes a case next, and daily while the outcome of an attempt is awaited."""
    due = due_at(case, policy)
    if case.under_way is None:
        return due
    look = now + _LOOKED_AFTER_EVERY
    return look if due is None else min(due, look)


def tries_again(case: Case, policy: DunningPolicy, *, at: datetime, zone: str) -> bool:
    """Whether the case, left alone, asks for an attempt at this instant."""
    outcome = after(case, TimePassed(at=at), policy=policy, zone=zone)
    return any(isinstance(effect, Retry) for effect in outcome.effects)


def found(
    case: Case,
    debt: Debt,
    *,
    is_live: bool,
    is_in_the_way: bool,
    has_method: bool,
    at: datetime,
) -> CaseEvent:
    """What a case that is looked at has to be told: mostly that time has passed. An attempt that
    `is_live` `is_in_the_way` of one that the case would ask for now.
    """
    settlement = settlement_of(debt)
    if settlement is not None:
        return Settled(at=at, by=settlement)
    if case.under_way is not None and not is_live:
        return NotAttempted(at=at)
    if case.chargeable and not has_method:
        return MethodRemoved(at=at)
    if is_in_the_way:
        return Unsettled(at=at)
    return TimePassed(at=at)
