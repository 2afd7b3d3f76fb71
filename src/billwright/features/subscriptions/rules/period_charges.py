"""What does a subscription owe for a period?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from billwright.features.catalog.model import PlanComponent, PlanVersion, Timing
from billwright.features.invoicing.model import ChargeKind, NewCharge
from billwright.features.pricing.rules.parts import total
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.pricing.rules.unit_price import unit_price
from billwright.features.subscriptions.errors import charge_too_large
from billwright.features.subscriptions.model import Subscription
from billwright.kernel.calendar import Period
from billwright.kernel.currency import currency_of
from billwright.kernel.money import round_to_minor
from billwright.kernel.proration import prorate, share_of


def charges_in_advance(
    subscription: Subscription, version: PlanVersion, *, period: Period
) -> tuple[NewCharge, ...]:
    """What is owed when `period` begins, for the whole of it."""
    return tuple(
        _charge(
            subscription,
            version,
            component=component,
            quantity=quantity,
            period=period,
            until=period.end,
        )
        for component, quantity in _components(subscription, version)
        if component.timing is Timing.IN_ADVANCE
    )


def charges_in_arrears(
    subscription: Subscription, version: PlanVersion, *, period: Period, until: datetime
) -> tuple[NewCharge, ...]:
    """What is owed for the part of `period` that ends at `until`; nothing when that is empty."""
    if until <= period.start:
        return ()
    return tuple(
        _charge(
            subscription,
            version,
            component=component,
            quantity=quantity,
            period=period,
            until=until,
        )
        for component, quantity in _components(subscription, version)
        if component.timing is Timing.IN_ARREARS
    )


def refuse_oversized_charges(subscription: Subscription, version: PlanVersion) -> None:
    """Accept quantities whose charges can be kept, also those that will be owed in arrears.

    Without this, a subscription could start that no billing run can bill. Refuses:
    `charge_too_large`.
    """
    for component, quantity in _components(subscription, version):
        pricing = component.prices[subscription.currency]
        amount_minor, _ = _whole_price(pricing, quantity, currency=subscription.currency)
        if abs(amount_minor) > _LARGEST_CHARGE_MINOR:
            raise charge_too_large(
                pointer=f"/quantities/{component.code}",
                quantity=quantity,
                component_code=component.code,
            )


def _components(
    subscription: Subscription, version: PlanVersion
) -> Iterator[tuple[PlanComponent, Decimal]]:
    quantities = {item.plan_component_id: item.quantity for item in subscription.items}
    for component in version.components:
        if quantity := quantities.get(component.id):
            yield component, quantity


def _charge(
    subscription: Subscription,
    version: PlanVersion,
    *,
    component: PlanComponent,
    quantity: Decimal,
    period: Period,
    until: datetime,
) -> NewCharge:
    """One line, rounded once. A stub costs its exact share of the whole period."""
    pricing = component.prices[subscription.currency]
    schedule = subscription.schedule
    amount_minor, price_of_one = _whole_price(pricing, quantity, currency=subscription.currency)
    if until != period.end or not schedule.is_whole(period):
        share = share_of(
            part_start=period.start, part_end=until, whole=schedule.whole(period.index)
        )
        amount_minor = round_to_minor(
            prorate(pricing.amount(quantity), share), currency=currency_of(subscription.currency)
        ).amount_minor
    return NewCharge(
        subscription_id=subscription.id,
        plan_component_id=component.id,
        kind=ChargeKind.RECURRING,
        period_start=period.start,
        period_end=until,
        description=f"{version.name}: {component.name}",
        quantity=quantity,
        unit_name=component.unit_name,
        unit_price=price_of_one,
        amount_minor=amount_minor,
        tax_category=version.tax_category,
    )


# A thousand charges of this size, with tax, still fit the 64 bits of an invoice's total.
_LARGEST_CHARGE_MINOR = 10**15


@lru_cache(maxsize=10_000)
def _whole_price(
    pricing: Pricing, quantity: Decimal, *, currency: str
) -> tuple[int, Decimal | None]:
    """What a whole period costs in minor units, and the price of one unit if there is one.

    Subscribers of one plan mostly pay the same, so that it is computed once.
    """
    parts = pricing.breakdown(quantity)
    amount = round_to_minor(total(parts), currency=currency_of(currency))
    return amount.amount_minor, unit_price(parts, quantity=quantity)
