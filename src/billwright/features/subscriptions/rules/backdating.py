"""What does a subscription owe that began before it was created?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from billwright.features.promotions.model import Redemption
from billwright.features.subscriptions.errors import bills_from_invalid, starts_at_invalid
from billwright.features.subscriptions.model import Subscription, SubscriptionItem
from billwright.features.subscriptions.rules.due import take_step
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.kernel.event import Event

_FURTHEST = timedelta(days=3650)
_MOST_PERIODS = 1000


def require_near(starts_at: datetime, *, now: datetime) -> None:
    """Accept a start within ten years, for which there is a calendar. Refuses: `starts_at_invalid`."""
    if abs(starts_at - now) > _FURTHEST:
        raise starts_at_invalid(
            pointer="/starts_at",
            starts_at=starts_at.isoformat(),
            problem="more than ten years away",
        )


def require_startable(subscription: Subscription, *, now: datetime) -> None:
    """Accept a start with at most a thousand periods before now, and billing from where one of them
    begins, within ten years. Refuses: `starts_at_invalid`, `bills_from_invalid`.
    """
    start, schedule = subscription.started_at, subscription.schedule
    bills_from = subscription.bills_from
    if start < now and schedule.containing(now).index > _MOST_PERIODS:
        raise starts_at_invalid(
            pointer="/starts_at",
            starts_at=start.isoformat(),
            problem=f"more than {_MOST_PERIODS} periods ago",
        )
    if bills_from is not None:
        if not start <= bills_from <= now + _FURTHEST:
            raise _bills_from_refused(bills_from, boundary=start)
        latest = schedule.containing(now).end if start <= now else start
        if bills_from > latest:
            raise _bills_from_refused(bills_from, boundary=latest)
        boundary = schedule.containing(bills_from).start
        if boundary != bills_from:
            raise _bills_from_refused(bills_from, boundary=boundary)


def caught_up(subscription: Subscription, facts: Facts, *, now: datetime) -> Transition:
    """The start of a subscription with all steps up to now as one: what they owe comes together, but
    for service before `bills_from`, which was billed elsewhere.
    """
    bills_from = subscription.bills_from
    step = take_step(
        subscription,
        _of_what_is_billed(facts, at=subscription.started_at, bills_from=bills_from),
        following=facts.version,
        now=now,
    )
    redemptions = {one.id: one for one in step.redemptions}
    charges, latest = list(step.charges), step
    while (at := latest.after.next_action_at) is not None and at <= now:
        facts = replace(facts, redemptions=_merged(facts.redemptions, changed=latest.redemptions))
        latest = take_step(
            latest.after,
            _of_what_is_billed(facts, at=at, bills_from=bills_from),
            following=facts.version,
            now=now,
        )
        charges += latest.charges
        redemptions |= {one.id: one for one in latest.redemptions}
    after = latest.after
    return replace(
        step,
        after=replace(
            after,
            items=_accruing_here(after),
            version=subscription.version + 1,
        ),
        at=now,
        charges=tuple(
            charge for charge in charges if bills_from is None or charge.period_start >= bills_from
        ),
        redemptions=tuple(redemptions.values()),
        events=step.events if latest is step else (*step.events, *_news(latest, first=step)),
    )


def _news(latest: Transition, *, first: Transition) -> tuple[Event, ...]:
    """A trial that has passed is followed by the start that it led to; renewals of the past are no
    news.
    """
    return () if latest.after.state is first.after.state else latest.events


def _of_what_is_billed(facts: Facts, *, at: datetime, bills_from: datetime | None) -> Facts:
    """What was billed elsewhere uses no promotion up."""
    if bills_from is None or at >= bills_from:
        return facts
    return replace(facts, redemptions=())


def _accruing_here(subscription: Subscription) -> tuple[SubscriptionItem, ...]:
    """The items, of which nothing is owed in arrears for a period that was billed elsewhere."""
    if not subscription.is_billed_elsewhere:
        return subscription.items
    return tuple(replace(item, accrues_from=subscription.bills_from) for item in subscription.items)


def _merged(
    known: tuple[Redemption, ...], *, changed: tuple[Redemption, ...]
) -> tuple[Redemption, ...]:
    after = {one.id: one for one in changed}
    return tuple(after.get(one.id, one) for one in known)


def _bills_from_refused(bills_from: datetime, *, boundary: datetime) -> Exception:
    return bills_from_invalid(
        pointer="/bills_from", bills_from=bills_from.isoformat(), boundary=boundary.isoformat()
    )
