"""What does a change of plan or quantities inside a period cost, and what does it change?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billwright.features.catalog.model import ComponentKind, PlanVersion
from billwright.features.invoicing.model import InvoiceTiming, LiveCharge, NewCharge
from billwright.features.subscriptions.events import SubscriptionChanged
from billwright.features.subscriptions.model import (
    Proration,
    Subscription,
    SubscriptionItem,
    SubscriptionState,
)
from billwright.features.subscriptions.rules.beginning import in_trial_until
from billwright.features.subscriptions.rules.discounting import discounted_in_turn
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.periods import (
    ending_with_its_period,
    fits,
    schedule_from,
)
from billwright.features.subscriptions.rules.service_charges import (
    added_once,
    charges_in_advance,
    charges_in_arrears,
)
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.features.subscriptions.rules.trial import end_trial, trial_end_under
from billwright.features.subscriptions.rules.unused_credits import in_arrears, unused_credits
from billwright.kernel.currency import currency_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a subscription is to become: a plan version and the items of it."""

    version: PlanVersion
    items: tuple[SubscriptionItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What is asked for: `changed` is the subscription with all that follows from the request alone."""

    before: Subscription
    changed: Subscription
    facts: Facts
    target: Target
    at: datetime
    proration: Proration
    now: datetime

    @property
    def ahead(self) -> Facts:
        """The facts under the target's version."""
        return replace(self.facts, version=self.target.version)


def change(
    subscription: Subscription,
    facts: Facts,
    *,
    target: Target,
    at: datetime,
    proration: Proration,
    now: datetime,
) -> Transition:
    """Change a subscription at an instant of its period (semantics 5.4).

    Items that stay as they are are not touched. Those that go are credited from `at` on, and what they
    owe in arrears is charged up to there; those that come are charged from there on. A version of
    another interval begins its own periods at `at`.
    """
    state = LIFECYCLE.next(subscription.state, Action.CHANGE)
    changed = replace(
        subscription,
        state=state,
        plan_version_id=target.version.id,
        pending_change=None,
        unpaid_change=None,
        version=subscription.version + 1,
        updated_at=now,
    )
    asked = _Change(
        before=subscription,
        changed=changed,
        facts=facts,
        target=target,
        at=at,
        proration=proration,
        now=now,
    )
    if state is SubscriptionState.SCHEDULED:
        return _without_charges(asked, replace(changed, items=target.items))
    if state is SubscriptionState.TRIALING:
        return _in_trial(asked)
    if proration is Proration.FULL_RESET:
        return _anew(asked)
    if not fits(subscription.schedule, target.version) and proration is not Proration.NONE:
        return _anew(replace(asked, proration=Proration.INVOICE_NOW))
    return _within_period(asked)


def _within_period(asked: _Change) -> Transition:
    before, facts, at = asked.before, asked.facts, asked.at
    leaving, coming, staying = _difference(before, asked.target, live=facts.live)
    if asked.proration is Proration.NONE:
        return _from_renewal_on(asked, leaving=leaving, coming=coming, staying=staying)
    after = replace(asked.changed, items=_accruing(coming, since=at) + staying)
    coming_in = replace(after, items=coming)
    charges = [
        *_arrears(before, facts, items=leaving, until=at),
        *unused_credits(
            _not_of(facts.live, staying),
            facts.live_versions,
            at=at,
            currency=currency_of(before.currency),
            redemptions=facts.redemptions,
        ),
        *added_once(before, facts, after=after, ahead=asked.ahead, at=at),
        *(charges_in_advance(coming_in, asked.ahead, start=at) if at < before.period.end else ()),
    ]
    return _transition(asked, after, charges=charges)


def _from_renewal_on(
    asked: _Change,
    *,
    leaving: tuple[SubscriptionItem, ...],
    coming: tuple[SubscriptionItem, ...],
    staying: tuple[SubscriptionItem, ...],
) -> Transition:
    """No lines for the difference: what ran in arrears at the old price is charged for its whole
    period with the next invoice, and the new prices hold from the renewal on. Usage is owed at the
    price under which it was used.
    """
    before, facts, at = asked.before, asked.facts, asked.at
    counted_from = before.period.end if before.is_billed_elsewhere else at
    usage = _usage_of(asked.target.version)
    gone_usage = _usage_of(facts.version)
    later = tuple(item for item in coming if item.plan_component_id not in usage)
    metered = tuple(item for item in coming if item.plan_component_id in usage)
    after = replace(
        asked.changed,
        items=_accruing(later, since=before.period.end)
        + _accruing(metered, since=counted_from)
        + staying,
    )
    used = tuple(item for item in leaving if item.plan_component_id in gone_usage)
    served = tuple(item for item in leaving if item.plan_component_id not in gone_usage)
    charges = [
        *_arrears(before, facts, items=served, until=before.period.end),
        *_arrears(before, facts, items=used, until=at),
        *added_once(before, facts, after=after, ahead=asked.ahead, at=at),
    ]
    return _transition(asked, after, charges=charges)


def _anew(asked: _Change) -> Transition:
    """New periods from `at` on. A full reset gives no credit for what was paid in advance, except for
    what begins at this very instant, of which nothing was used.
    """
    before, facts, at = asked.before, asked.facts, asked.at
    schedule = schedule_from(at, version=asked.target.version, zone=facts.zone)
    items = tuple(replace(item, accrues_from=None) for item in asked.target.items)
    after = ending_with_its_period(
        replace(
            asked.changed,
            items=items,
            schedule=schedule,
            period=schedule.containing(at),
            bills_from=None,
        )
    )
    live = facts.live
    if asked.proration is Proration.FULL_RESET:
        early = in_arrears(live, facts.live_versions)
        live = tuple(one for one in live if one.charge.period_start >= at or one in early)
    charges = [
        *_arrears(before, facts, items=before.items, until=at),
        *unused_credits(
            live,
            facts.live_versions,
            at=at,
            currency=currency_of(before.currency),
            redemptions=facts.redemptions,
        ),
        *added_once(before, facts, after=after, ahead=asked.ahead, at=at),
        *charges_in_advance(after, asked.ahead, start=after.period.start),
    ]
    return _transition(asked, after, charges=charges)


def _in_trial(asked: _Change) -> Transition:
    """Nothing is owed in a trial. Another plan has a trial of its own length."""
    before, facts, target, at = asked.before, asked.facts, asked.target, asked.at
    changed = replace(asked.changed, items=target.items)
    if target.version.plan_id == facts.version.plan_id:
        schedule = schedule_from(before.period.end, version=target.version, zone=facts.zone)
        return _without_charges(asked, replace(changed, schedule=schedule))
    end = trial_end_under(before, target.version, zone=facts.zone, now=max(at, before.period.start))
    if end > at:
        trying = in_trial_until(changed, target.version, end=end, zone=facts.zone)
        return _without_charges(asked, trying)
    ended = end_trial(replace(changed, version=before.version), asked.ahead, at=at, now=asked.now)
    return replace(
        ended,
        action="subscription.change",
        before=before,
        events=(_changed_event(asked, proration=None), *ended.events),
    )


def _without_charges(asked: _Change, after: Subscription) -> Transition:
    return Transition(
        action="subscription.change",
        before=asked.before,
        after=replace(after, next_action_at=next_action_at(after)),
        version=asked.target.version,
        at=asked.at,
        events=(_changed_event(asked, proration=None),),
    )


def _transition(asked: _Change, after: Subscription, *, charges: Sequence[NewCharge]) -> Transition:
    begun_at, begins_at = asked.before.period.start, after.period.start
    parts: list[tuple[datetime, Sequence[NewCharge]]] = [(begins_at, charges)]
    if begun_at < begins_at:  # what the period owes that ends here is discounted as it is
        ended = [one for one in charges if one.corrects_charge_id or one.period_start < begins_at]
        parts = [(begun_at, ended), (begins_at, [one for one in charges if one not in ended])]
    net, redemptions = discounted_in_turn(
        parts, asked.facts.redemptions, currency=currency_of(after.currency)
    )
    at_once = asked.proration in {Proration.INVOICE_NOW, Proration.FULL_RESET}
    return Transition(
        action="subscription.change",
        before=asked.before,
        after=replace(after, next_action_at=next_action_at(after)),
        version=asked.target.version,
        at=asked.at,
        charges=net,
        timing=InvoiceTiming.AT_ONCE if at_once else InvoiceTiming.LATER,
        redemptions=redemptions,
        events=(_changed_event(asked, proration=asked.proration),),
    )


def _difference(
    before: Subscription, target: Target, *, live: Iterable[LiveCharge]
) -> tuple[
    tuple[SubscriptionItem, ...], tuple[SubscriptionItem, ...], tuple[SubscriptionItem, ...]
]:
    """The items that go, that come, and that stay as they are.

    After a change without proration, charges of the former plan still cover the time up to the
    renewal. They cannot be told apart by item, so that then nothing stays.
    """
    old = {item.plan_component_id: item for item in before.items}
    new = {item.plan_component_id: item for item in target.items}
    same = {
        key
        for key in old.keys() & new.keys()
        if (old[key].quantity, old[key].pricing) == (new[key].quantity, new[key].pricing)
    }
    if any(one.charge.plan_component_id not in old for one in live):
        same = set()
    return (
        tuple(item for key, item in old.items() if key not in same),
        tuple(replace(item, accrues_from=None) for key, item in new.items() if key not in same),
        tuple(item for key, item in old.items() if key in same),
    )


def _accruing(
    items: tuple[SubscriptionItem, ...], *, since: datetime
) -> tuple[SubscriptionItem, ...]:
    return tuple(replace(item, accrues_from=since) for item in items)


def _arrears(
    subscription: Subscription,
    facts: Facts,
    *,
    items: Iterable[SubscriptionItem],
    until: datetime,
) -> tuple[NewCharge, ...]:
    """What these items owe in arrears up to `until`."""
    return charges_in_arrears(replace(subscription, items=tuple(items)), facts, until=until)


def _not_of(
    live: Iterable[LiveCharge], staying: Iterable[SubscriptionItem]
) -> tuple[LiveCharge, ...]:
    kept = {item.plan_component_id for item in staying}
    return tuple(one for one in live if one.charge.plan_component_id not in kept)


def _usage_of(version: PlanVersion) -> set[UUID]:
    return {part.id for part in version.components if part.kind is ComponentKind.USAGE}


def _changed_event(asked: _Change, *, proration: Proration | None) -> SubscriptionChanged:
    version = asked.target.version
    return SubscriptionChanged(
        subject_id=asked.before.id,
        account_id=asked.before.account_id,
        plan_code=version.plan_code,
        plan_version=version.number,
        effective_at=asked.at,
        proration=proration,
    )
