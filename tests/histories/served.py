"""What was a subscription served, instant by instant? Independent of what it was charged.

The one exception is a change without proration: until the renewal it is charged as before, although its
access differs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import ComponentKind, PlanComponent, PlanVersion
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.subscriptions.events import SubscriptionChanged
from billwright.features.subscriptions.model import (
    CancellationProration,
    Proration,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.rules.transition import Transition

_SERVING = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})


@dataclass(frozen=True, slots=True)
class Served:
    """So many units of a component, at its price."""

    component: PlanComponent
    quantity: Decimal
    pricing: Pricing


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is served from `at` on, by component. What was paid in advance may cover more time than
    that where `keeps_advance`: a pause or an end without a credit. `waiting` is what a pause stopped.
    """

    at: datetime
    recurring: Mapping[UUID, Served] = field(default_factory=dict)
    waiting: Mapping[UUID, Served] = field(default_factory=dict)
    usage: frozenset[UUID] = frozenset()
    keeps_advance: bool = False


class ServedTime:
    """The moments at which service changed, in the order of time."""

    def __init__(self, moments: Iterable[Moment] = ()) -> None:
        self.moments = list(moments)
        self.resets: list[datetime] = []
        self.once: list[UUID] = []

    def copy(self) -> ServedTime:
        """The same service, to go on with differently."""
        copied = ServedTime(self.moments)
        copied.resets = list(self.resets)
        copied.once = list(self.once)
        return copied

    def at(self, instant: datetime) -> Moment:
        """What is served at an instant."""
        place = bisect_right(self.moments, instant, key=lambda moment: moment.at)
        return self.moments[place - 1] if place else Moment(at=instant)

    def note(self, transition: Transition, *, versions: Iterable[PlanVersion]) -> None:
        """Follow a step of the subscription."""
        after = transition.after
        version = next(one for one in versions if one.id == after.plan_version_id)
        match transition.action.removeprefix("subscription."):
            case "start" | "start_trial" | "end_trial":
                self._begin(transition, version)
            case "renew":
                self._note_added(transition, versions=versions)
                self._set(_all_of(after, version, at=after.period.start))
            case "change":
                self._change(transition, version)
                if transition.before.state in _SERVING:
                    self._note_added(transition, versions=versions)
            case "pause" | "mark_unpaid":
                self._stop(transition.at, keeps_advance=after.pause.keeps_period)
            case "resume" | "recover" if transition.before.state not in _SERVING:
                self._resume(transition, version)
            case "end":
                kept = (after.cancellation.proration or CancellationProration.NONE) is (
                    CancellationProration.NONE
                )
                self._stop(transition.at, keeps_advance=kept)
                if after.state is SubscriptionState.EXPIRED:
                    self.moments.clear()
                    self.once.clear()
            case _:
                assert transition.charges == ()

    def _begin(self, transition: Transition, version: PlanVersion) -> None:
        """The first step, or all steps of a start in the past at once."""
        before, after = transition.before, transition.after
        if after.state in {*_SERVING, SubscriptionState.INCOMPLETE}:
            begun_at = transition.at
            if before.state is SubscriptionState.SCHEDULED:
                begun_at = after.trial.end or after.started_at
            self._note_begun(after, version)
            self._set(_all_of(after, version, at=begun_at))

    def _change(self, transition: Transition, version: PlanVersion) -> None:
        before, after, at = transition.before, transition.after, transition.at
        if after.state not in _SERVING:
            return
        is_reset = proration_of(transition) is Proration.FULL_RESET
        if is_reset:
            self.resets.append(at)
        anew = is_reset or after.schedule != before.schedule
        if before.state is SubscriptionState.TRIALING:
            self._note_begun(after, version)
        if anew or before.state is SubscriptionState.TRIALING:
            self._set(_all_of(after, version, at=at))
            return
        now = _all_of(after, version, at=at)
        known = self.at(at).recurring
        if proration_of(transition) is Proration.NONE:
            self._set(replace(now, recurring=known))
            return
        units = {item.plan_component_id: (item.quantity, item.pricing) for item in before.items}
        if known.keys() <= units.keys():  # else a former plan is charged, and nothing of it stays
            untouched = {
                item.plan_component_id
                for item in after.items
                if units.get(item.plan_component_id) == (item.quantity, item.pricing)
            }
            kept = {key: one for key, one in known.items() if key in untouched}
            changed = {key: one for key, one in now.recurring.items() if key not in untouched}
            now = replace(now, recurring=kept | changed)
        self._set(now)

    def _resume(self, transition: Transition, version: PlanVersion) -> None:
        after, at = transition.after, transition.at
        now = _all_of(after, version, at=at)
        if not self.at(at).waiting and not self.once and _never_paid(transition):
            self._note_begun(after, version)
        # After a pause that gave its rest back, a new period begins, maybe one like the old one.
        is_kept = transition.before.pause.keeps_period
        if is_kept and after.period == transition.before.period:
            now = replace(now, recurring=self.moments[-1].waiting)
        self._set(now)

    def _note_begun(self, subscription: Subscription, version: PlanVersion) -> None:
        """What is owed once, when the paid life begins."""
        self.once += [
            component.id
            for component in _subscribed(subscription, version)
            if component.kind is ComponentKind.ONE_TIME
        ]

    def _note_added(self, transition: Transition, *, versions: Iterable[PlanVersion]) -> None:
        """What is owed once for the add-ons that a change brings."""
        before, after = transition.before, transition.after
        version: dict[UUID, PlanVersion] = {one.id: one for one in versions}
        known = {one.code for one in _subscribed(before, version[before.plan_version_id])}
        self.once += [
            one.id
            for one in _subscribed(after, version[after.plan_version_id])
            if one.kind is ComponentKind.ONE_TIME
            and one.optional
            and one.code not in known
            and one.id not in self.once
        ]

    def _stop(self, at: datetime, *, keeps_advance: bool) -> None:
        stopped = self.at(at).recurring
        self._set(Moment(at=at, waiting=stopped, keeps_advance=keeps_advance))

    def _set(self, moment: Moment) -> None:
        self.moments = [one for one in self.moments if one.at < moment.at]
        self.moments.append(moment)


def _all_of(subscription: Subscription, version: PlanVersion, *, at: datetime) -> Moment:
    units = {item.plan_component_id: item for item in subscription.items if item.quantity}
    recurring: dict[UUID, Served] = {}
    usage: set[UUID] = set()
    for component in version.components:
        item = units.get(component.id)
        if item is None:
            continue
        if component.kind is ComponentKind.RECURRING:
            price = item.pricing or component.prices[subscription.currency]
            recurring[component.id] = Served(component, item.quantity, price)
        elif component.kind is ComponentKind.USAGE:
            usage.add(component.id)
    return Moment(at=at, recurring=recurring, usage=frozenset(usage))


def _subscribed(subscription: Subscription, version: PlanVersion) -> list[PlanComponent]:
    units = {item.plan_component_id: item.quantity for item in subscription.items}
    return [one for one in version.components if units.get(one.id)]


def _never_paid(transition: Transition) -> bool:
    return transition.before.period.start == transition.before.trial.start


def proration_of(transition: Transition) -> Proration | None:
    """How the change that a step made was charged; none of other steps, and where nothing was owed."""
    events = [one for one in transition.events if isinstance(one, SubscriptionChanged)]
    told = events[0].proration if events else None
    return Proration(told) if told else None
