"""What follows when something happens to a case of dunning, or when time passes?

The machine is a function: case and event give the next case and what is to be done. Every event also
lets time pass, so that afterwards nothing is due any more before `due_at`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from billwright.features.dunning.rules.case import (
    Case,
    CaseEvent,
    CaseState,
    Declined,
    DueReduced,
    Effect,
    Finish,
    ManualRetry,
    MethodAdded,
    MethodRemoved,
    NotAttempted,
    Notify,
    Origin,
    Outcome,
    PassOver,
    Paused,
    Restore,
    Restrict,
    Resumed,
    Retry,
    Settled,
    Settlement,
    Unsettled,
)
from billwright.features.dunning.rules.local_daytime import in_daytime
from billwright.features.dunning.rules.policy import (
    DunningPolicy,
    FinalAction,
    HardDecline,
    NewMethodRetry,
)
from billwright.features.payment_providers.model import Decline

# What could not even be sent says nothing about the customer, and is soon sent again.
_SENT_AGAIN_AFTER = timedelta(hours=1)

_STATE_AFTER = {
    Settlement.PAID: CaseState.RECOVERED,
    Settlement.CANCELED: CaseState.CANCELED,
    Settlement.VOIDED: CaseState.CANCELED,
    Settlement.CREDITED: CaseState.CANCELED,
    Settlement.WRITTEN_OFF: CaseState.WRITTEN_OFF,
}


def open_case(
    policy: DunningPolicy,
    *,
    at: datetime,
    past_due_at: datetime,
    decline: Decline | None,
    chargeable: bool,
    zone: str,
) -> Outcome:
    """The case of an invoice that `policy` pursues: its first attempt was declined or, without a
    decline, it is overdue. `chargeable` says whether the account has a payment method.
    """
    opened = Case(
        opened_at=at,
        past_due_at=past_due_at,
        waiting_since=at,
        next_step_at=None,
        attempts=0 if decline is None else 1,
        chargeable=chargeable and not _stops(policy, decline),
    )
    opened = replace(opened, next_step_at=_next_step_at(opened, policy, at=at, zone=zone))
    return _carried_on(opened, policy, at=at, zone=zone)


def after(case: Case, event: CaseEvent, *, policy: DunningPolicy, zone: str) -> Outcome:
    """The case after an event, and the effects.

    What has ended does nothing more by itself; only what settles the debt of an exhausted case still
    restores access.
    """
    settlement = _settlement(event, policy)
    if settlement is not None:
        return _settled(case, by=settlement, at=event.at)
    if case.state is not CaseState.OPEN:
        return Outcome(case)
    asked: tuple[Effect, ...] = ()
    if isinstance(event, ManualRetry) and case.under_way is None:
        case, asked = _started(case, Origin.MANUAL)
    else:
        case = learned(case, event, policy=policy, zone=zone)
    return _carried_on(case, policy, at=event.at, zone=zone, asked=asked)


def learned(case: Case, event: CaseEvent, *, policy: DunningPolicy, zone: str) -> Case:
    """The case that knows of an event from which nothing has followed yet; `after` catches up with it
    when time passes, of itself even at the same instant.
    """
    if case.state is not CaseState.OPEN:
        return case
    match event:
        case Declined() | Unsettled() | NotAttempted():
            return _answered(case, policy, event=event, zone=zone)
        case _:
            return _informed(case, event)


def due_at(case: Case, policy: DunningPolicy) -> datetime | None:
    """When time alone changes the case next; none when it has ended."""
    if case.state is not CaseState.OPEN:
        return None
    if case.paused_until is not None:
        return case.paused_until
    instants = [
        case.past_due_at + step.after
        for step in policy.entitlement_steps[case.entitlement_index :][:1]
    ]
    if case.under_way is None:
        instants.append(case.opened_at + policy.max_age)
        instants += [at for at, _ in _notices_left(case, policy)]
        if case.next_step_at is not None:
            instants.append(case.next_step_at)
    return min(instants, default=None)


def _settlement(event: CaseEvent, policy: DunningPolicy) -> Settlement | None:
    """What is left below the minimum is as good as paid here, although the invoice stays open."""
    match event:
        case Settled():
            return event.by
        case DueReduced() if not policy.pursues(event.due):
            return Settlement.PAID
        case _:
            return None


def _settled(case: Case, *, by: Settlement, at: datetime) -> Outcome:
    """End the case, and restore access with it; whoever canceled an exhausted one still owes."""
    owed = case.state is CaseState.OPEN or (
        case.state is CaseState.EXHAUSTED and by is not Settlement.CANCELED
    )
    if not owed:
        return Outcome(case)
    ended = replace(_ended(case, _STATE_AFTER[by], at=at), entitlement_index=0)
    return Outcome(ended, (Restore(),))


def _ended(case: Case, state: CaseState, *, at: datetime) -> Case:
    return replace(
        case, state=state, next_step_at=None, under_way=None, paused_until=None, ended_at=at
    )


def _informed(case: Case, event: CaseEvent) -> Case:
    match event:
        case MethodAdded():
            return replace(case, chargeable=True, fresh_method=True)
        case MethodRemoved():
            return replace(case, chargeable=False, fresh_method=False)
        case Paused():
            return replace(case, paused_until=event.until)
        case Resumed():
            return replace(case, paused_until=None)
        case _:
            return case


def _answered(
    case: Case, policy: DunningPolicy, *, event: Declined | Unsettled | NotAttempted, zone: str
) -> Case:
    match event:
        case Declined():
            return _declined(case, policy, event=event, zone=zone)
        case Unsettled():
            return replace(case, under_way=case.under_way or Origin.CHECKOUT)
        case NotAttempted():
            return _not_attempted(case, policy, at=event.at, zone=zone)


def _declined(case: Case, policy: DunningPolicy, *, event: Declined, zone: str) -> Case:
    origin, at = case.under_way, event.at
    of_method_on_file = origin not in {None, Origin.CHECKOUT} and not case.fresh_method
    stopped = of_method_on_file and _stops(policy, event.decline)
    case = replace(
        case,
        attempts=case.attempts + 1,
        under_way=None,
        chargeable=case.chargeable and not stopped,
    )
    if origin is Origin.SCHEDULED:
        return _stepped(case, policy, at=at, zone=zone)
    if case.next_step_at is not None and case.next_step_at <= at:
        # The step came due meanwhile: to try again within minutes of a decline helps nobody.
        next_step_at = _next_step_at(case, policy, at=at, zone=zone)
        return replace(case, waiting_since=at, next_step_at=next_step_at)
    return case


def _not_attempted(case: Case, policy: DunningPolicy, *, at: datetime, zone: str) -> Case:
    """The case as if it had not been asked, but that a step which is due, or the last chance that a
    new method was, comes again.
    """
    origin, step_at = case.under_way, case.next_step_at
    case = replace(case, under_way=None)
    is_due = origin is Origin.NEW_METHOD if step_at is None else step_at <= at
    if not is_due:
        return case
    again_at = in_daytime(at + _SENT_AGAIN_AFTER, hours=policy.local_hours, zone=zone)
    return replace(case, next_step_at=again_at)


def _carried_on(
    case: Case, policy: DunningPolicy, *, at: datetime, zone: str, asked: tuple[Effect, ...] = ()
) -> Outcome:
    """What is due by an instant, behind the effects that were asked for."""
    if case.paused_until is not None:
        if at < case.paused_until:
            return Outcome(case, asked)
        case = replace(case, paused_until=None)
    case, restricting = _restricted(case, policy, at=at)
    if case.under_way is not None:
        return Outcome(case, (*asked, *restricting))
    case, taken = _taken(case, policy, at=at, zone=zone)
    return Outcome(case, (*asked, *restricting, *taken))


def _restricted(
    case: Case, policy: DunningPolicy, *, at: datetime
) -> tuple[Case, tuple[Effect, ...]]:
    """Only the last step that is due matters, since each replaces the one before."""
    due = [step for step in policy.entitlement_steps if case.past_due_at + step.after <= at]
    if len(due) <= case.entitlement_index:
        return case, ()
    return replace(case, entitlement_index=len(due)), (Restrict(due[-1]),)


def _taken(
    case: Case, policy: DunningPolicy, *, at: datetime, zone: str
) -> tuple[Case, tuple[Effect, ...]]:
    """What the schedule does while no attempt is under way."""
    if case.fresh_method and policy.retry_on_new_method is NewMethodRetry.IMMEDIATE:
        return _started(case, Origin.NEW_METHOD)
    if _is_over(case, policy, at=at):
        ended = _ended(case, CaseState.EXHAUSTED, at=at)
        return ended, (Finish(policy.final_action),)
    if case.next_step_at is not None and case.next_step_at <= at:
        # A late worker, or another zone, may have brought the step out of the local hours.
        open_at = in_daytime(at, hours=policy.local_hours, zone=zone)
        case = replace(case, next_step_at=open_at)
        if open_at == at:
            return _step_taken(case, policy, at=at, zone=zone)
    return _noticed(case, policy, at=at)


def _is_over(case: Case, policy: DunningPolicy, *, at: datetime) -> bool:
    """A case that leaves the subscription past due has its entitlement steps to take before."""
    if at >= case.opened_at + policy.max_age:
        return True
    is_waiting = policy.final_action is FinalAction.LEAVE_PAST_DUE and (
        case.entitlement_index < len(policy.entitlement_steps)
    )
    return case.next_step_at is None and not is_waiting


def _step_taken(
    case: Case, policy: DunningPolicy, *, at: datetime, zone: str
) -> tuple[Case, tuple[Effect, ...]]:
    if case.chargeable:
        return _started(case, Origin.SCHEDULED)
    passed = _stepped(case, policy, at=at, zone=zone)
    case, further = _taken(passed, policy, at=at, zone=zone)
    return case, (PassOver(passed.step), *further)


def _started(case: Case, origin: Origin) -> tuple[Case, tuple[Effect, ...]]:
    return replace(case, under_way=origin, fresh_method=False), (Retry(origin),)


def _stepped(case: Case, policy: DunningPolicy, *, at: datetime, zone: str) -> Case:
    """The schedule one step further, and its next wait begun; past its end it goes no further."""
    step = min(case.step + 1, len(policy.schedule))
    case = replace(case, step=step, waiting_since=at, noticed=())
    return replace(case, next_step_at=_next_step_at(case, policy, at=at, zone=zone))


def _next_step_at(case: Case, policy: DunningPolicy, *, at: datetime, zone: str) -> datetime | None:
    """The wait that the step begins, counted from `at` and moved into daytime; none after the last."""
    if case.step >= len(policy.schedule):
        return None
    return in_daytime(at + policy.schedule[case.step], hours=policy.local_hours, zone=zone)


def _noticed(case: Case, policy: DunningPolicy, *, at: datetime) -> tuple[Case, tuple[Effect, ...]]:
    """Of several notices that are due only the last is given, however late it is."""
    due = [each for each in _notices_left(case, policy) if each[0] <= at]
    if not due:
        return case, ()
    _, code = max(due)
    noticed = (*case.noticed, *(code for _, code in due))
    return replace(case, noticed=noticed), (Notify(case.step, code),)


def _notices_left(case: Case, policy: DunningPolicy) -> Iterator[tuple[datetime, str]]:
    """The notices of the present wait that were not given yet, and when they are."""
    if case.next_step_at is None:
        return
    for notice in policy.notices:
        if notice.code not in case.noticed:
            is_reminder = notice.offset < timedelta()
            base = case.next_step_at if is_reminder else case.waiting_since
            yield base + notice.offset, notice.code


def _stops(policy: DunningPolicy, decline: Decline | None) -> bool:
    return decline is Decline.HARD and policy.hard_decline is HardDecline.STOP
