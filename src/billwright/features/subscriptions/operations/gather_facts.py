"""What must be known before subscriptions take a step?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.sql.reads import plan_versions, versions_of_components
from billwright.features.invoicing.model import LiveCharge
from billwright.features.invoicing.sql.reads import (
    charges_by_id,
    latest_reversals,
    live_charges,
    one_time_components,
)
from billwright.features.promotions.model import Redemption
from billwright.features.promotions.sql.reads import redemptions_by_id, redemptions_of
from billwright.features.subscriptions.model import Subscription, SubscriptionState
from billwright.features.subscriptions.rules.service_charges import used_stretches
from billwright.features.subscriptions.rules.transition import ChargingTerms, Facts
from billwright.features.tenancy.sql.reads import the_seller
from billwright.features.usage.model import UsageWindow, Used
from billwright.features.usage.sql.reads import used_quantities
from billwright.kernel.quick import quickly_made
from billwright.runtime.db.tx import Tx

_STANDING_STILL = frozenset({SubscriptionState.PAUSED, SubscriptionState.UNPAID})
_LIVE_STATES = _STANDING_STILL | {SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE}


@quickly_made
@dataclass(frozen=True, slots=True)
class Question:
    """A subscription and the instant at which it takes a step."""

    subscription: Subscription
    at: datetime


async def gather_facts(
    tx: Tx, questions: Sequence[Question], *, accounts: Mapping[UUID, Account]
) -> dict[UUID, Facts]:
    """The facts by subscription, each kind of row by one query for all of them.

    What only a step inside a period needs, the charges that cover the time after it, is read for
    those; a renewal at a period's end needs none. What was charged once matters to changes.
    """
    versions = await _versions(tx, questions)
    seller = await the_seller(tx)
    terms = ChargingTerms(seller.proration_granularity, seller.rounding)
    inside = [one for one in questions if _is_inside(one)]
    live = await _live(tx, inside)
    taken_back = await _taken_back(tx, inside)
    live_versions = await _live_versions(tx, [*live.values(), *taken_back.values()])
    reversed_at = await _reversed_at(tx, inside)
    once = await _charged_once(
        tx, [one for one in questions if _is_inside(one) or one.subscription.pending_change]
    )
    used = await _used(tx, questions, versions=versions)
    redemptions = await _redemptions(tx, questions, live=live)
    return {
        one.subscription.id: Facts(
            version=versions[one.subscription.plan_version_id],
            terms=terms,
            zone=accounts[one.subscription.account_id].zone,
            has_payment_method=accounts[one.subscription.account_id].has_payment_method,
            live=live.get(one.subscription.id, ()),
            taken_back=taken_back.get(one.subscription.id, ()),
            live_versions=live_versions,
            used=used.get(one.subscription.id, {}),
            cutoff=tx.now,
            redemptions=redemptions.get(one.subscription.id, ()),
            charged_once=once.get(one.subscription.id, frozenset()),
            reversed_at=reversed_at.get(one.subscription.id),
        )
        for one in questions
    }


def _is_inside(question: Question) -> bool:
    subscription = question.subscription
    return subscription.state in _STANDING_STILL or (
        subscription.state in _LIVE_STATES and question.at < subscription.period.end
    )


async def _versions(tx: Tx, questions: Sequence[Question]) -> dict[UUID, PlanVersion]:
    return await plan_versions(tx, [one.subscription.plan_version_id for one in questions])


async def _live(tx: Tx, inside: Sequence[Question]) -> dict[UUID, tuple[LiveCharge, ...]]:
    """The charges of the running period that cover any time after the step: one that began before
    the period belongs to periods which a full reset left behind.
    """
    if not inside:
        return {}
    found = await live_charges(
        tx, [one.subscription.id for one in inside], at=min(one.at for one in inside)
    )
    return {
        one.subscription.id: tuple(
            live
            for live in found.get(one.subscription.id, ())
            if live.charge.period_end > one.at
            and live.charge.period_start >= one.subscription.period.start
        )
        for one in inside
    }


async def _taken_back(tx: Tx, inside: Sequence[Question]) -> dict[UUID, tuple[LiveCharge, ...]]:
    """What a standstill has taken back, for the few that stand still and had it."""
    wanted = {
        one.subscription.id: one.subscription.pause.taken_back
        for one in inside
        if one.subscription.pause.taken_back
    }
    if not wanted:
        return {}
    found = await charges_by_id(tx, [charge_id for ids in wanted.values() for charge_id in ids])
    return {
        subscription_id: tuple(found[charge_id] for charge_id in ids)
        for subscription_id, ids in wanted.items()
    }


async def _live_versions(
    tx: Tx, kinds: Sequence[tuple[LiveCharge, ...]]
) -> dict[UUID, PlanVersion]:
    components = {
        one.charge.plan_component_id
        for charges in kinds
        for one in charges
        if one.charge.plan_component_id is not None
    }
    return await versions_of_components(tx, list(components)) if components else {}


async def _reversed_at(tx: Tx, inside: Sequence[Question]) -> dict[UUID, datetime]:
    if not inside:
        return {}
    return await latest_reversals(tx, [one.subscription.id for one in inside])


async def _charged_once(tx: Tx, changing: Sequence[Question]) -> dict[UUID, frozenset[UUID]]:
    if not changing:
        return {}
    return await one_time_components(tx, [one.subscription.id for one in changing])


async def _used(
    tx: Tx, questions: Sequence[Question], *, versions: Mapping[UUID, PlanVersion]
) -> dict[UUID, dict[UUID, Used]]:
    windows: list[UsageWindow] = []
    places: list[tuple[UUID, UUID]] = []
    for one in questions:
        subscription = one.subscription
        version = versions[subscription.plan_version_id]
        if subscription.state not in _LIVE_STATES or not version.has_usage:
            continue
        whole = subscription.schedule.whole(subscription.period.index)
        for stretch in used_stretches(subscription, version, until=one.at):
            places.append((subscription.id, stretch.component.id))
            windows.append(
                UsageWindow(
                    key=len(windows),
                    subscription_id=subscription.id,
                    meter=stretch.component.meter or stretch.component.code,
                    start=stretch.start,
                    end=stretch.end,
                    period=whole.end - whole.start,
                )
            )
    if not windows:
        return {}
    answers = await used_quantities(tx, windows, cutoff=tx.now)
    used: dict[UUID, dict[UUID, Used]] = {}
    for key, answer in answers.items():
        subscription_id, component_id = places[key]
        used.setdefault(subscription_id, {})[component_id] = answer
    return used


async def _redemptions(
    tx: Tx, questions: Sequence[Question], *, live: Mapping[UUID, tuple[LiveCharge, ...]]
) -> dict[UUID, tuple[Redemption, ...]]:
    """The active ones, and those to which a credit may give something back."""
    active = await redemptions_of(tx, [one.subscription.id for one in questions])
    known = {one.id for redemptions in active.values() for one in redemptions}
    returnable = {
        redemption_id
        for charges in live.values()
        for one in charges
        for redemption_id, _ in one.charge.discounts
        if redemption_id not in known
    }
    if not returnable:
        return active
    merged = dict(active)
    for redemption in (await redemptions_by_id(tx, list(returnable))).values():
        own = merged.get(redemption.subscription_id, ())
        merged[redemption.subscription_id] = (*own, redemption)
    return merged
