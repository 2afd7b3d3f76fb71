"""What does a subscription owe for a stretch of a period?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from billwright.features.catalog.model import (
    ComponentKind,
    PlanComponent,
    PlanVersion,
    Timing,
)
from billwright.features.invoicing.model import Basis, ChargeKind, NewCharge
from billwright.features.pricing.rules.parts import exact_total
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.pricing.rules.service_price import (
    recurring_parts,
    recurring_price,
    usage_parts,
)
from billwright.features.pricing.rules.unit_price import unit_price
from billwright.features.subscriptions.errors import charge_too_large
from billwright.features.subscriptions.model import Subscription, SubscriptionItem
from billwright.features.subscriptions.rules.transition import ChargingTerms, Facts
from billwright.kernel.calendar import Period, Schedule
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Rounding, round_to_minor
from billwright.kernel.proration import share_of

_PLAIN = ChargingTerms()


@dataclass(frozen=True, slots=True)
class UsedStretch:
    """Whose usage is to be billed: of which component, in which window."""

    component: PlanComponent
    start: datetime
    end: datetime


def charges_in_advance(
    subscription: Subscription, facts: Facts, *, start: datetime
) -> tuple[NewCharge, ...]:
    """What is owed in advance from `start` to the end of the subscription's period."""
    return tuple(
        _recurring(subscription, facts, item=item, component=component, start=start, end=None)
        for item, component in _items(subscription, facts.version)
        if component.timing is Timing.IN_ADVANCE and component.kind is ComponentKind.RECURRING
    )


def charges_in_arrears(
    subscription: Subscription, facts: Facts, *, until: datetime
) -> tuple[NewCharge, ...]:
    """What has come to be owed in the subscription's period up to `until`, and was not charged yet."""
    charges: list[NewCharge] = []
    for item, component in _items(subscription, facts.version):
        in_arrears = component.timing is Timing.IN_ARREARS
        # Units that were paid in advance may still be less than the minimum.
        if not in_arrears and subscription.currency not in component.minimums:
            continue
        start = accrual_start(subscription, item)
        if start >= until:
            continue
        if component.kind is ComponentKind.USAGE:
            charges += _usage(
                subscription, facts, item=item, component=component, start=start, end=until
            )
        else:
            charge = _recurring(
                subscription, facts, item=item, component=component, start=start, end=until
            )
            charges += [charge] if in_arrears else []
            charges += _minimum(subscription, facts, charge=charge, component=component)
    return tuple(charges)


def one_time_charges(
    subscription: Subscription, facts: Facts, *, at: datetime
) -> tuple[NewCharge, ...]:
    """What is owed once, when the paid life of a subscription or of an add-on begins."""
    return tuple(
        _one_time(subscription, facts, item=item, component=component, at=at)
        for item, component in _items(subscription, facts.version)
        if component.kind is ComponentKind.ONE_TIME
    )


def added_once(
    before: Subscription, facts: Facts, *, after: Subscription, ahead: Facts, at: datetime
) -> tuple[NewCharge, ...]:
    """The one-time charges of the add-ons that a change adds, unless they were charged before. A plan's
    own are owed when the subscription begins, and not again by a change of plan; neither are those of
    add-ons that move with it.
    """
    known = {component.code for _, component in _items(before, facts.version)}
    added = {
        component.id
        for _, component in _items(after, ahead.version)
        if component.optional and component.code not in known
    }
    items = tuple(
        item for item in after.items if item.plan_component_id in added - facts.charged_once
    )
    return one_time_charges(replace(after, items=items), ahead, at=at)


def accrual_start(subscription: Subscription, item: SubscriptionItem) -> datetime:
    """Since when an item in arrears is owed: since the period began, or since it was changed."""
    start = subscription.period.start
    return start if item.accrues_from is None else max(start, item.accrues_from)


def used_stretches(
    subscription: Subscription, version: PlanVersion, *, until: datetime
) -> Iterator[UsedStretch]:
    """The windows whose usage `charges_in_arrears` needs to know."""
    for item, component in _items(subscription, version):
        if component.kind is ComponentKind.USAGE:
            start = accrual_start(subscription, item)
            if start < until:
                yield UsedStretch(component, start, until)


def refuse_oversized_charges(subscription: Subscription, version: PlanVersion) -> None:
    """Accept quantities whose charges can be kept, also those that will be owed in arrears.

    Without this, a subscription could start that no billing run can bill. Refuses:
    `charge_too_large`.
    """
    for item, component in _items(subscription, version):
        amount_minor, _ = _whole_price(
            item.pricing or component.prices[subscription.currency],
            item.quantity,
            free_units=component.free_units,
            currency=subscription.currency,
            rounding=Rounding.HALF_UP,
        )
        if abs(amount_minor) > _LARGEST_CHARGE_MINOR:
            raise charge_too_large(
                pointer=f"/quantities/{component.code}",
                quantity=item.quantity,
                component_code=component.code,
            )


def _items(
    subscription: Subscription, version: PlanVersion
) -> Iterator[tuple[SubscriptionItem, PlanComponent]]:
    """Items with their components, in the order of the plan; those of no units are left out."""
    items = {item.plan_component_id: item for item in subscription.items}
    for component in version.components:
        item = items.get(component.id)
        if item is not None and item.quantity:
            yield item, component


def _recurring(
    subscription: Subscription,
    facts: Facts,
    *,
    item: SubscriptionItem,
    component: PlanComponent,
    start: datetime,
    end: datetime | None,
) -> NewCharge:
    """One line, rounded once. A part costs its exact share of the whole, undivided period."""
    period, schedule, terms = subscription.period, subscription.schedule, facts.terms
    pricing = item.pricing or component.prices[subscription.currency]
    end = period.end if end is None else end
    amount_minor, price_of_one = _whole_price(
        pricing,
        item.quantity,
        free_units=component.free_units,
        currency=subscription.currency,
        rounding=terms.rounding,
    )
    whole = None
    if start != period.start or end != period.end or not schedule.is_whole(period):
        whole = schedule.whole(period.index)
        share = share_of(
            part_start=start,
            part_end=end,
            whole=whole,
            granularity=terms.granularity,
            zone=schedule.zone,
        )
        parts = recurring_parts(pricing, item.quantity, free_units=component.free_units)
        amount_minor = round_to_minor(
            recurring_price(parts, share=share),
            currency=currency_of(subscription.currency),
            rounding=terms.rounding,
        ).amount_minor
    return NewCharge(
        subscription_id=subscription.id,
        plan_component_id=component.id,
        kind=ChargeKind.RECURRING,
        period_start=start,
        period_end=end,
        description=f"{facts.version.name}: {component.name}",
        quantity=item.quantity,
        unit_name=component.unit_name,
        unit_price=price_of_one,
        amount_minor=amount_minor,
        tax_category=facts.version.tax_category,
        tax_inclusive=facts.version.tax_inclusive,
        basis=_basis(schedule, terms, whole=whole, pricing=item.pricing),
    )


def _basis(
    schedule: Schedule, terms: ChargingTerms, *, whole: Period | None, pricing: Pricing | None
) -> Basis | None:
    """None for a whole period at the price of the plan, which most charges are."""
    if whole is None and pricing is None and terms == _PLAIN:
        return None
    return Basis(
        whole_start=whole.start if whole else None,
        whole_end=whole.end if whole else None,
        granularity=terms.granularity,
        zone=schedule.zone,
        rounding=terms.rounding,
        pricing=pricing,
    )


def _usage(
    subscription: Subscription,
    facts: Facts,
    *,
    item: SubscriptionItem,
    component: PlanComponent,
    start: datetime,
    end: datetime,
) -> list[NewCharge]:
    """What was used, and what is missing to the minimum; nothing where nothing was used or owed."""
    schedule, terms = subscription.schedule, facts.terms
    pricing = item.pricing or component.prices[subscription.currency]
    used = facts.used.get(component.id)
    quantity = max(used.quantity, Decimal(0)) if used else Decimal(0)
    whole = schedule.whole(subscription.period.index)
    share = share_of(
        part_start=start,
        part_end=end,
        whole=whole,
        granularity=terms.granularity,
        zone=schedule.zone,
    )
    parts = usage_parts(pricing, quantity, free_units=component.free_units, share=share)
    amount = round_to_minor(
        exact_total(parts), currency=currency_of(subscription.currency), rounding=terms.rounding
    )
    charge = NewCharge(
        subscription_id=subscription.id,
        plan_component_id=component.id,
        kind=ChargeKind.USAGE,
        period_start=start,
        period_end=end,
        description=f"{facts.version.name}: {component.name}",
        quantity=quantity,
        unit_name=component.unit_name,
        unit_price=unit_price(parts, quantity=quantity),
        amount_minor=amount.amount_minor,
        tax_category=facts.version.tax_category,
        tax_inclusive=facts.version.tax_inclusive,
        basis=Basis(
            whole_start=whole.start,
            whole_end=whole.end,
            granularity=terms.granularity,
            zone=schedule.zone,
            rounding=terms.rounding,
            pricing=item.pricing,
            usage=facts.usage_of(component.id, component.meter or component.code),
        ),
    )
    charges = [charge] if quantity else []
    return [*charges, *_minimum(subscription, facts, charge=charge, component=component)]


def _minimum(
    subscription: Subscription, facts: Facts, *, charge: NewCharge, component: PlanComponent
) -> list[NewCharge]:
    """What is missing to the component's minimum, which a part of a period owes a share of."""
    minimum_minor = component.minimums.get(subscription.currency)
    if minimum_minor is None:
        return []
    schedule, terms = subscription.schedule, facts.terms
    whole = schedule.whole(subscription.period.index)
    share = share_of(
        part_start=charge.period_start,
        part_end=charge.period_end,
        whole=whole,
        granularity=terms.granularity,
        zone=schedule.zone,
    )
    currency = currency_of(subscription.currency)
    owed = round_to_minor(
        Fraction(minimum_minor, 10**currency.exponent) * share,
        currency=currency,
        rounding=terms.rounding,
    ).amount_minor
    missing_minor = owed - charge.amount_minor
    if missing_minor <= 0:
        return []
    return [
        NewCharge(
            subscription_id=subscription.id,
            plan_component_id=component.id,
            kind=ChargeKind.MINIMUM,
            period_start=charge.period_start,
            period_end=charge.period_end,
            description=charge.description,
            quantity=Decimal(1),
            unit_name="",
            unit_price=None,
            amount_minor=missing_minor,
            tax_category=charge.tax_category,
            tax_inclusive=charge.tax_inclusive,
            basis=Basis(
                whole_start=whole.start,
                whole_end=whole.end,
                granularity=terms.granularity,
                zone=schedule.zone,
                rounding=terms.rounding,
                minimum_minor=minimum_minor,
            ),
        )
    ]


def _one_time(
    subscription: Subscription,
    facts: Facts,
    *,
    item: SubscriptionItem,
    component: PlanComponent,
    at: datetime,
) -> NewCharge:
    pricing = item.pricing or component.prices[subscription.currency]
    amount_minor, price_of_one = _whole_price(
        pricing,
        item.quantity,
        free_units=component.free_units,
        currency=subscription.currency,
        rounding=facts.terms.rounding,
    )
    return NewCharge(
        subscription_id=subscription.id,
        plan_component_id=component.id,
        kind=ChargeKind.ONE_TIME,
        period_start=at,
        period_end=at,
        description=f"{facts.version.name}: {component.name}",
        quantity=item.quantity,
        unit_name=component.unit_name,
        unit_price=price_of_one,
        amount_minor=amount_minor,
        tax_category=facts.version.tax_category,
        tax_inclusive=facts.version.tax_inclusive,
        basis=_basis(subscription.schedule, facts.terms, whole=None, pricing=item.pricing),
    )


# A thousand charges of this size, with tax, still fit the 64 bits of an invoice's total.
_LARGEST_CHARGE_MINOR = 10**15


@lru_cache(maxsize=10_000)
def _whole_price(
    pricing: Pricing,
    quantity: Decimal,
    *,
    free_units: Decimal,
    currency: str,
    rounding: Rounding,
) -> tuple[int, Decimal | None]:
    """What a whole period costs in minor units, and the price of one unit if there is one.

    Subscribers of one plan mostly pay the same, so that it is computed once.
    """
    parts = recurring_parts(pricing, quantity, free_units=free_units)
    amount = round_to_minor(exact_total(parts), currency=currency_of(currency), rounding=rounding)
    return amount.amount_minor, unit_price(parts, quantity=quantity)
