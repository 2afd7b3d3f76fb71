"""What does a period owe that goes on after a standstill?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion, Timing
from billwright.features.invoicing.model import NewCharge
from billwright.features.subscriptions.model import Subscription, SubscriptionItem
from billwright.features.subscriptions.rules.service_charges import charges_in_arrears
from billwright.features.subscriptions.rules.transition import Facts
from billwright.features.subscriptions.rules.unused_credits import in_arrears


def accruing_again(
    items: tuple[SubscriptionItem, ...], version: PlanVersion, *, at: datetime
) -> tuple[SubscriptionItem, ...]:
    """The items of a period that goes on at an instant. What is in arrears is owed from there on. The
    minimum of a price in advance is not owed before that price is, which after a change without
    proration comes with the renewal.
    """
    ahead = {part.id for part in version.components if part.timing is Timing.IN_ADVANCE}
    return tuple(
        replace(item, accrues_from=max(at, item.accrues_from or at))
        if item.plan_component_id in ahead
        else replace(item, accrues_from=at)
        for item in items
    )


def minimums_paid_ahead(
    resumed: Subscription, facts: Facts, *, at: datetime
) -> tuple[NewCharge, ...]:
    """What is missing from here on to the minimums of prices that were paid in advance and, after a
    change without proration, are not those of the items any more: they hold until the renewal. The
    change had charged it, and the standstill has taken it back.
    """
    until = resumed.period.end
    accruing = {
        item.plan_component_id for item in resumed.items if (item.accrues_from or at) < until
    }
    early = in_arrears(facts.live, facts.live_versions)
    charges: list[NewCharge] = []
    for live in facts.live:
        component_id = live.charge.plan_component_id
        if component_id is None or component_id in accruing or live in early:
            continue
        pricing = live.charge.basis.pricing if live.charge.basis else None
        paid = SubscriptionItem(component_id, live.charge.quantity, pricing, accrues_from=at)
        charges += charges_in_arrears(
            replace(resumed, items=(paid,)),
            replace(facts, version=facts.live_versions[component_id]),
            until=until,
        )
    return tuple(charges)
