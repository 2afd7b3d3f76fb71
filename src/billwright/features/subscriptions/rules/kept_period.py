"""What does a period owe that goes on after a standstill?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import ChargeKind, LiveCharge, NewCharge
from billwright.features.subscriptions.model import Subscription, SubscriptionItem
from billwright.features.subscriptions.rules.service_charges import charges_in_arrears
from billwright.features.subscriptions.rules.transition import Facts
from billwright.features.subscriptions.rules.unused_credits import in_arrears


def accruing_again(
    items: tuple[SubscriptionItem, ...], *, at: datetime
) -> tuple[SubscriptionItem, ...]:
    """The items of a period that goes on at an instant. What is in arrears is owed from there on, and
    what a change without proration has brought from the renewal on.
    """
    return tuple(replace(item, accrues_from=max(at, item.accrues_from or at)) for item in items)


def owed_again(facts: Facts) -> tuple[UUID, ...]:
    """The charges that a standstill takes back and that are owed again when the period goes on: prices
    in arrears that a change without proration had charged up to the renewal. What the seller had given
    back of one altogether is not owed again.
    """
    return tuple(
        one.id
        for one in in_arrears(facts.live, facts.live_versions)
        if one.charge.kind is ChargeKind.RECURRING
        and (one.creditable_minor or not one.charge.amount_minor)
    )


def held_until_renewal(
    resumed: Subscription, facts: Facts, *, at: datetime
) -> tuple[NewCharge, ...]:
    """What a period owes from here on at prices that are not those of the items any more, after a change
    without proration: they hold until the renewal. The change had charged it up to there, and the
    standstill has taken it back.
    """
    charges: list[NewCharge] = []
    for held, version in (*_taken_back(facts), *_paid_ahead(resumed, facts, at=at)):
        charges += charges_in_arrears(
            replace(resumed, items=(replace(held, accrues_from=at),)),
            replace(facts, version=version),
            until=resumed.period.end,
        )
    return tuple(charges)


def _taken_back(facts: Facts) -> Iterator[tuple[SubscriptionItem, PlanVersion]]:
    """Prices in arrears, which bring their minimums."""
    for one in facts.taken_back:
        yield from _held(one, facts)


def _paid_ahead(
    resumed: Subscription, facts: Facts, *, at: datetime
) -> Iterator[tuple[SubscriptionItem, PlanVersion]]:
    """Prices that were paid in advance, of which only what is missing to their minimums is owed later."""
    accruing = {
        item.plan_component_id
        for item in resumed.items
        if (item.accrues_from or at) < resumed.period.end
    }
    early = in_arrears(facts.live, facts.live_versions)
    for live in facts.live:
        if live.charge.plan_component_id not in accruing and live not in early:
            yield from _held(live, facts)


def _held(one: LiveCharge, facts: Facts) -> Iterator[tuple[SubscriptionItem, PlanVersion]]:
    """The item that a charge was made of."""
    charge = one.charge
    if charge.plan_component_id is not None:
        pricing = charge.basis.pricing if charge.basis else None
        item = SubscriptionItem(charge.plan_component_id, charge.quantity, pricing)
        yield item, facts.live_versions[charge.plan_component_id]
