"""Which windows of usage does a step bill for good, and which does it open again?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import ComponentKind, PlanVersion
from billwright.features.invoicing.model import Basis, ChargeKind, NewCharge
from billwright.features.subscriptions.model import (
    BilledUsage,
    Subscription,
    SubscriptionItem,
    SubscriptionState,
)
from billwright.features.subscriptions.rules.service_charges import accrual_start, used_stretches
from billwright.features.subscriptions.rules.transition import ChargingTerms, Transition
from billwright.kernel.ids import new_id

_BILLED_STATES = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})


def billed_usage(
    transition: Transition, version: PlanVersion, *, terms: ChargingTerms, cutoff: datetime
) -> Iterator[BilledUsage]:
    """The windows that a step has billed, also those in which nothing was used; `version` is what the
    subscription had before it.
    """
    before, after = transition.before, transition.after
    if before.state not in _BILLED_STATES or _is_given_up(transition):
        return
    going_on = dict(_accruing(after)) if after.state in _BILLED_STATES else {}
    for stretch in used_stretches(before, version, until=transition.at):
        component = stretch.component
        if going_on.get(component.id) == stretch.start:
            continue
        item = next(one for one in before.items if one.plan_component_id == component.id)
        charges = [
            one
            for one in transition.charges
            if one.plan_component_id == component.id
            and one.period_start == stretch.start
            and one.kind in {ChargeKind.USAGE, ChargeKind.MINIMUM}
        ]
        yield _billed(
            before,
            item,
            charges=charges,
            basis=_basis(before, item, charges=charges, terms=terms),
            meter=component.meter or component.code,
            window=(stretch.start, stretch.end),
            cutoff=cutoff,
        )


def reopened_usage(transition: Transition, version: PlanVersion) -> Iterator[tuple[UUID, datetime]]:
    """The components whose usage is owed again from an instant on, which lies before the step: it undid
    what had billed it. `version` is what the subscription has after it.
    """
    usage = {one.id for one in version.components if one.kind is ComponentKind.USAGE}
    known = dict(_accruing(transition.before))
    for component_id, start in _accruing(transition.after):
        was = known.get(component_id)
        if component_id in usage and start < transition.at and (was is None or start < was):
            yield component_id, start


def _accruing(subscription: Subscription) -> Iterator[tuple[UUID, datetime]]:
    for item in subscription.items:
        yield item.plan_component_id, accrual_start(subscription, item)


def _is_given_up(transition: Transition) -> bool:
    return transition.after.ended_at is not None and not (
        transition.after.cancellation.bills_final_usage
    )


def _basis(
    before: Subscription,
    item: SubscriptionItem,
    *,
    charges: list[NewCharge],
    terms: ChargingTerms,
) -> Basis:
    for charge in charges:
        if charge.kind is ChargeKind.USAGE and charge.basis is not None:
            return charge.basis
    whole = before.schedule.whole(before.period.index)
    return Basis(
        whole_start=whole.start,
        whole_end=whole.end,
        granularity=terms.granularity,
        zone=before.schedule.zone,
        rounding=terms.rounding,
        pricing=item.pricing,
    )


def _billed(
    before: Subscription,
    item: SubscriptionItem,
    *,
    charges: list[NewCharge],
    basis: Basis,
    meter: str,
    window: tuple[datetime, datetime],
    cutoff: datetime,
) -> BilledUsage:
    used = basis.usage
    start, end = window
    return BilledUsage(
        id=new_id(),
        subscription_id=before.id,
        plan_component_id=item.plan_component_id,
        meter=meter,
        meter_version=used.meter_version if used else None,
        start=start,
        end=end,
        cutoff=used.cutoff if used else cutoff,
        quantity=sum((one.quantity for one in charges if one.kind is ChargeKind.USAGE), Decimal(0)),
        events=used.events if used else 0,
        digest=used.digest if used else None,
        owed_minor=sum(one.amount_minor + one.discount_minor for one in charges),
        basis=basis,
    )
