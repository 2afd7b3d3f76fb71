"""Which items does a subscription to a plan version have?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from billwright.features.catalog.model import PlanComponent, PlanVersion
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.subscriptions.errors import component_unknown
from billwright.features.subscriptions.model import Subscription, SubscriptionItem

_ONE = Decimal(1)


def items_of(
    version: PlanVersion,
    quantities: Mapping[str, Decimal],
    *,
    prices: Mapping[str, Pricing] | None = None,
) -> tuple[SubscriptionItem, ...]:
    """Each component of the plan with the units asked for, or one; an add-on only when it is asked
    for. `prices` are the subscription's own. Refuses: `component_unknown`.
    """
    for name, given in (("quantities", quantities), ("prices", prices or {})):
        for code in given:
            component_of(version, code, pointer=f"/{name}/{code}")
    return tuple(
        SubscriptionItem(
            component.id,
            quantities.get(component.code, _ONE),
            (prices or {}).get(component.code),
        )
        for component in version.components
        if not component.optional or quantities.get(component.code)
    )


def items_moved(
    subscription: Subscription,
    *,
    old: PlanVersion,
    new: PlanVersion,
    quantities: Mapping[str, Decimal],
) -> tuple[SubscriptionItem, ...]:
    """The items under another plan version: components of the same code keep their units unless
    others are asked for, add-ons that the new version has are kept. Prices of the subscription's own
    belong to the version that they were agreed for.
    """
    kept = {
        component.code: item.quantity
        for component in old.components
        for item in subscription.items
        if item.plan_component_id == component.id
    }
    known = {component.code for component in new.components}
    return items_of(
        new, {code: units for code, units in kept.items() if code in known} | dict(quantities)
    )


def items_with(
    subscription: Subscription, component: PlanComponent, *, quantity: Decimal
) -> tuple[SubscriptionItem, ...]:
    """The items with other units of one component; an add-on of no units is left out."""
    others = tuple(item for item in subscription.items if item.plan_component_id != component.id)
    own = next(
        (item for item in subscription.items if item.plan_component_id == component.id), None
    )
    if not quantity and component.optional:
        return others
    item = SubscriptionItem(component.id, quantity, own.pricing if own else None)
    return (*others, item)


def component_of(version: PlanVersion, code: str, *, pointer: str) -> PlanComponent:
    """The component of that code. Refuses: `component_unknown`."""
    for component in version.components:
        if component.code == code:
            return component
    raise component_unknown(pointer=pointer, plan_code=version.plan_code, component_code=code)
