"""What may happen to a subscription in a generated history, and when?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import note
from hypothesis import strategies as st

from billwright.features.catalog.model import PlanVersion
from billwright.features.subscriptions.errors import nothing_pending
from billwright.features.subscriptions.model import (
    Cancellation,
    CancellationMode,
    CancellationProration,
    CancellationReason,
    PauseProration,
    Proration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    Terms,
)
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.features.subscriptions.rules.beginning import activate
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.ending import (
    end_at,
    end_of_period_at,
    first_permitted_end,
)
from billwright.features.subscriptions.rules.instants import (
    require_between,
    require_since_last_change,
)
from billwright.features.subscriptions.rules.items import items_moved, items_with
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.nonpayment import (
    become_past_due,
    become_unpaid,
    recover_from_past_due,
    recover_from_unpaid,
)
from billwright.features.subscriptions.rules.pausing import pause, resume
from billwright.features.subscriptions.rules.transition import Facts
from billwright.features.subscriptions.rules.trial import end_trial, extend_trial
from billwright.kernel.calendar import Period
from billwright.kernel.refusal import Refusal
from tests.histories.life import Life
from tests.histories.plans import ZONES

QUANTITIES = tuple(map(Decimal, ("1", "0", "2", "7", "3.5")))


@dataclass(frozen=True, slots=True)
class Wait:
    """How much time passes, in words of the running period, so that boundaries are often hit."""

    kind: str
    count: int

    def until(self, now: datetime, *, period: Period) -> datetime:
        """The instant at which the wait is over."""
        length = period.end - period.start
        ends = {
            "none": now,
            "seconds": now + timedelta(seconds=7 * self.count + 1),
            "days": now + timedelta(days=self.count, hours=self.count),
            "share": period.start + _whole_seconds(length * self.count / 8),
            "end": period.end,
            "before the end": period.end - timedelta(seconds=1),
            "long": now + min(length * 2, timedelta(days=400)) + timedelta(seconds=self.count),
        }
        return max(now, ends[self.kind])


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a customer, a seller or the clock does; `choice` says how."""

    wait: Wait
    name: str
    choice: int

    def pick(self, options: Any, *, place: int = 1) -> Any:
        """One of the options; another `place` chooses independently."""
        values = tuple(options)
        return values[self.choice // place % len(values)]


_LONG_WAITS = ("share", "none", "seconds", "days", "end", "before the end", "long")
_SHORT_WAITS = ("share", "none", "seconds")
CHANGES = ("change plan", "change quantity", "add-on", "pause or resume")


def commands(names: Iterable[str]) -> st.SearchStrategy[Command]:
    """One of those that are named, at any time; what changes charges comes most often."""
    return _commands(_LONG_WAITS, (*CHANGES, *CHANGES, *names))


def changes() -> st.SearchStrategy[Command]:
    """What changes charges, soon after one another."""
    return _commands(_SHORT_WAITS, CHANGES)


def _commands(waits: Sequence[str], names: Sequence[str]) -> st.SearchStrategy[Command]:
    wait = st.builds(Wait, st.sampled_from(waits), st.integers(0, 8))
    return st.builds(Command, wait, st.sampled_from(names), st.integers(0, 9999))


def carry_out(life: Life, command: Command) -> bool:
    """Let the time pass and do it; whether it was not refused."""
    life.now = command.wait.until(life.now, period=life.subscription.period)
    life.catch_up()
    before, steps = life.subscription, len(life.transitions)
    try:
        HANDLERS[command.name](life, command)
    except Refusal as refusal:
        assert life.subscription is before
        note(f"{life.now} {before.state} {command.name}: {refusal}")
        return False
    note(f"{life.now} {before.state} {command.name}: {told(life, since=steps)}")
    life.catch_up()
    return True


def told(life: Life, *, since: int) -> list[str]:
    """The steps that a command made, in few words."""
    version: dict[UUID, str] = {plan.id: plan.plan_code for plan in life.plans}
    return [
        f"{one.action} at {one.at} to {one.after.state} {version[one.after.plan_version_id]} "
        f"{[str(item.quantity) for item in one.after.items]} "
        f"{[getattr(event, 'proration', '') for event in one.events]}"
        for one in life.transitions[since:]
    ]


def timing_of(command: Command, *, now: datetime, period: Period) -> ChangeTiming:
    """Mostly now and with proration."""
    effective = command.pick(
        (Effective.NOW, Effective.NOW, Effective.NOW, Effective.PERIOD_END, Effective.AT), place=20
    )
    at = None
    if effective is Effective.AT:
        share = command.pick(range(-1, 7), place=100)
        at = now + _whole_seconds((period.end - now) * share / 8)
    proration = command.pick((Proration.INVOICE_NOW, *Proration), place=4)
    return ChangeTiming(effective=effective, at=at, proration=proration)


def _timing(command: Command, life: Life) -> ChangeTiming:
    return timing_of(command, now=life.now, period=life.subscription.period)


def moved_to(life: Life, version: PlanVersion) -> Target:
    """The subscription under another plan."""
    items = items_moved(life.subscription, old=life.version, new=version, quantities={})
    return Target(version=version, items=items)


def _change_plan(life: Life, command: Command) -> None:
    version = command.pick(life.plans)
    life.change_to(moved_to(life, version), _timing(command, life))


def _change_quantity(life: Life, command: Command) -> None:
    own = [one for one in life.version.components if not one.optional]
    component = command.pick(own, place=500)
    items = items_with(life.subscription, component, quantity=command.pick(QUANTITIES, place=1000))
    life.change_to(Target(version=life.version, items=items), _timing(command, life))


def _toggle_add_on(life: Life, command: Command) -> None:
    optional = [one for one in life.version.components if one.optional]
    if not optional:
        return
    component = command.pick(optional, place=500)
    present = {item.plan_component_id for item in life.subscription.items}
    quantity = Decimal(0 if component.id in present else 1)
    items = items_with(life.subscription, component, quantity=quantity)
    life.change_to(Target(version=life.version, items=items), _timing(command, life))


def _pause(life: Life, command: Command) -> None:
    resumes_at = life.now + timedelta(days=command.pick(range(1, 50), place=2))
    facts, at = _facts_at_a_while_ago(life, command)
    life.make(
        pause(
            life.subscription,
            facts,
            proration=command.pick(PauseProration),
            resumes_at=command.pick((None, resumes_at), place=100),
            at=at,
            now=life.now,
        )
    )


def _facts_at_a_while_ago(life: Life, command: Command) -> tuple[Facts, datetime]:
    """Mostly now; else an instant that a preview may have reckoned with."""
    ago = timedelta(hours=command.pick((0, 0, 0, 30), place=300))
    at = life.now - ago
    facts = life.facts_at(at)
    if ago:
        require_since_last_change(life.subscription, facts, at=at, now=life.now)
        require_between(at, earliest=max(one.at for one in life.transitions), latest=life.now)
    return facts, at


def _pause_or_resume(life: Life, command: Command) -> None:
    is_paused = life.subscription.state is SubscriptionState.PAUSED
    (_resume if is_paused else _pause)(life, command)


def _resume(life: Life, command: Command) -> None:
    facts, at = _facts_at_a_while_ago(life, command)
    life.make(resume(life.subscription, facts, at=at, now=life.now))


def _cancel(life: Life, command: Command) -> None:
    ask = CancelSubscription(
        subscription_id=life.subscription.id,
        mode=command.pick(CancellationMode),
        cancel_at=life.now + timedelta(days=command.pick(range(1, 40), place=10)),
        proration=command.pick(CancellationProration, place=3),
    )
    cancel(life, ask)


def cancel(life: Life, ask: CancelSubscription) -> None:
    """As the operation does it."""
    before, now = life.subscription, life.now
    LIFECYCLE.next(before.state, Action.CANCEL)
    at = _permitted(life, ask)
    asked = replace(
        before,
        cancellation=Cancellation(
            at=at, requested_at=now, reason=ask.reason, proration=ask.proration
        ),
    )
    if at > now:
        LIFECYCLE.next(before.state, Action.SCHEDULE_CANCELLATION)
        life.decide(cancellation=asked.cancellation, pending_change=None)
        return
    ended = end_at(asked, life.facts_at(now), at=now, reason=CancellationReason.REQUESTED, now=now)
    life.make(replace(ended, before=before))


def _permitted(life: Life, ask: CancelSubscription) -> datetime:
    """When the subscription may end, and so will."""
    before, now = life.subscription, life.now
    if before.state in {SubscriptionState.SCHEDULED, SubscriptionState.INCOMPLETE}:
        return now
    permitted = now
    if ask.terms is Terms.OBSERVE:
        permitted = first_permitted_end(before, life.version.terms, asked_at=now)
    if ask.mode is CancellationMode.AT:
        return max(ask.cancel_at or now, permitted)
    standing_still = {SubscriptionState.PAUSED, SubscriptionState.UNPAID}
    if ask.mode is CancellationMode.PERIOD_END and before.state not in standing_still:
        return end_of_period_at(before, permitted)
    return permitted


def _undo_cancellation(life: Life, _: Command) -> None:
    before = life.subscription
    LIFECYCLE.next(before.state, Action.UNDO_CANCELLATION)
    if before.cancellation.at is None:
        raise nothing_pending()
    life.decide(cancellation=Cancellation())


def _undo_change(life: Life, _: Command) -> None:
    before = life.subscription
    LIFECYCLE.next(before.state, Action.UNDO_CHANGE)
    if before.pending_change is None:
        raise nothing_pending()
    life.decide(pending_change=None)


def _set_renewal(life: Life, command: Command) -> None:
    LIFECYCLE.next(life.subscription.state, Action.SET_RENEWAL)
    life.decide(renews=command.pick((True, False)))


def _extend_trial(life: Life, command: Command) -> None:
    end = life.subscription.period.end + timedelta(days=command.pick(range(-1, 20)))
    life.make(extend_trial(life.subscription, life.facts_at(life.now), end=end, now=life.now))


def _end_trial(life: Life, _: Command) -> None:
    LIFECYCLE.next(life.subscription.state, Action.END_TRIAL)
    life.make(end_trial(life.subscription, life.facts_at(life.now), at=life.now, now=life.now))


def _use(life: Life, command: Command) -> None:
    life.used.append((life.now, Decimal(command.pick(range(1, 30)))))


def _move_zone(life: Life, command: Command) -> None:
    life.zone = command.pick(ZONES)


def _lose_payment_method(life: Life, command: Command) -> None:
    life.has_payment_method = command.pick((False, True))


def _miss_payment(life: Life, command: Command) -> None:
    """A payment is missing, given up on, or comes after all."""
    before, now = life.subscription, life.now
    match before.state:
        case SubscriptionState.UNPAID:
            step = recover_from_unpaid(before, life.facts_at(now), at=now, now=now)
        case SubscriptionState.PAST_DUE if command.pick((True, True, False), place=2):
            step = become_unpaid(before, life.facts_at(now), at=now, now=now)
        case SubscriptionState.PAST_DUE:
            step = recover_from_past_due(before, life.version, now=now)
        case _:
            step = become_past_due(before, life.version, since=now, now=now)
    life.make(step)


def _pay(life: Life, _: Command) -> None:
    life.make(activate(life.subscription, life.version, now=life.now))


HANDLERS: dict[str, Callable[[Life, Command], None]] = {
    "change plan": _change_plan,
    "change quantity": _change_quantity,
    "add-on": _toggle_add_on,
    "pause or resume": _pause_or_resume,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "undo cancellation": _undo_cancellation,
    "undo change": _undo_change,
    "set renewal": _set_renewal,
    "extend trial": _extend_trial,
    "end trial": _end_trial,
    "use": _use,
    "move zone": _move_zone,
    "lose payment method": _lose_payment_method,
    "miss payment": _miss_payment,
    "pay": _pay,
}


def _whole_seconds(span: timedelta) -> timedelta:
    return timedelta(seconds=span // timedelta(seconds=1))
