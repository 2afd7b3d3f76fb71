"""What would a policy do, and when, if the attempts went like this?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain, repeat

from billwright.features.dunning.rules.case import (
    CaseEvent,
    Declined,
    Effect,
    Finish,
    Notify,
    Outcome,
    PassOver,
    Restore,
    Restrict,
    Retry,
    Settled,
    Settlement,
    TimePassed,
)
from billwright.features.dunning.rules.policy import DunningPolicy
from billwright.features.dunning.rules.progress import after, due_at, open_case
from billwright.features.payment_providers.model import Decline


class SupposedOutcome(StrEnum):
    """How an attempt is supposed to go."""

    SOFT = "soft"
    HARD = "hard"
    PAID = "paid"


class EntryKind(StrEnum):
    ATTEMPT = "attempt"
    PASSED_OVER = "passed_over"
    NOTICE = "notice"
    ACCESS = "access"
    FINAL_ACTION = "final_action"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happens; `step` is how far the schedule is then.

    `value` is the attempt's outcome, the notice's code, what is left of access, or the final action;
    `attempt` counts attempts from the first, and `features` are those that are taken away.
    """

    at: datetime
    kind: EntryKind
    step: int
    value: str | None = None
    attempt: int | None = None
    features: tuple[str, ...] = ()


def timeline(
    policy: DunningPolicy, *, opened_at: datetime, zone: str, outcomes: Sequence[SupposedOutcome]
) -> list[TimelineEntry]:
    """What happens, in order, when the first attempt is made at `opened_at`.

    `outcomes` are those of the attempts in order; the ones that are not given are soft declines.
    """
    return list(_entries(policy, opened_at=opened_at, zone=zone, outcomes=outcomes))


def _entries(
    policy: DunningPolicy, *, opened_at: datetime, zone: str, outcomes: Sequence[SupposedOutcome]
) -> Iterator[TimelineEntry]:
    supposed = enumerate(chain(outcomes, repeat(SupposedOutcome.SOFT)), start=1)
    at, (number, answer) = opened_at, next(supposed)
    yield _attempt(number, answer, at=at, step=0)
    if answer is SupposedOutcome.PAID:
        return
    outcome = open_case(
        policy,
        at=at,
        past_due_at=at,
        decline=Decline(answer.value),
        chargeable=True,
        zone=zone,
    )
    while True:
        yield from _told(outcome, at=at)
        if any(isinstance(effect, Retry) for effect in outcome.effects):
            number, answer = next(supposed)
            outcome = after(outcome.case, _answer(answer, at=at), policy=policy, zone=zone)
            yield _attempt(number, answer, at=at, step=outcome.case.step)
            continue
        due = due_at(outcome.case, policy)
        if due is None:
            return
        at = due
        outcome = after(outcome.case, TimePassed(at=at), policy=policy, zone=zone)


def _answer(answer: SupposedOutcome, *, at: datetime) -> CaseEvent:
    if answer is SupposedOutcome.PAID:
        return Settled(at=at, by=Settlement.PAID)
    return Declined(at=at, decline=Decline(answer.value))


def _attempt(number: int, answer: SupposedOutcome, *, at: datetime, step: int) -> TimelineEntry:
    return TimelineEntry(
        at=at, kind=EntryKind.ATTEMPT, step=step, value=answer.value, attempt=number
    )


def _told(outcome: Outcome, *, at: datetime) -> Iterator[TimelineEntry]:
    for effect in outcome.effects:
        entry = _entry(effect, at=at, step=outcome.case.step)
        if entry is not None:
            yield entry


def _entry(effect: Effect, *, at: datetime, step: int) -> TimelineEntry | None:
    """An attempt is told with its outcome."""
    match effect:
        case Retry():
            return None
        case PassOver():
            return TimelineEntry(at=at, kind=EntryKind.PASSED_OVER, step=step)
        case Notify():
            return TimelineEntry(at=at, kind=EntryKind.NOTICE, step=step, value=effect.code)
        case Restrict():
            return TimelineEntry(
                at=at,
                kind=EntryKind.ACCESS,
                step=step,
                value=effect.step.effect.value,
                features=effect.step.features,
            )
        case Finish():
            value = effect.action.value
            return TimelineEntry(at=at, kind=EntryKind.FINAL_ACTION, step=step, value=value)
        case Restore():
            return TimelineEntry(at=at, kind=EntryKind.RESTORED, step=step)
