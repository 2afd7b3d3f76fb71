"""Through which subscription is something reserved, of which pool, and as which usage does it count?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.rules.feature_value import is_countable
from billwright.features.entitlements.errors import (
    reservation_amount_invalid,
    reservation_not_countable,
    reservation_not_entitled,
    reservation_subscription_ambiguous,
    reservation_usage_not_counted,
    subscription_not_of_account,
)
from billwright.features.entitlements.model import Decided, Decision, DenialReason
from billwright.features.usage.model import Aggregation, MeterDefinition, PropertyValue

_LEAST = Decimal("0.000001")


def refuse_unfit_amount(amount: Decimal) -> None:
    """Refuses: `entitlement_reservation_amount_invalid`."""
    if not is_countable(amount) or amount < _LEAST:
        raise reservation_amount_invalid(
            pointer="/amount",
            why="An amount is more than 0, with at most 14 digits before and 6 behind the point.",
        )


def subscription_for(
    decided: Decided,
    *,
    feature_code: str,
    account_id: UUID,
    named: UUID | None,
    known: Collection[UUID],
) -> tuple[UUID, UUID | None]:
    """Whose usage it will be, and whose pool that is counted against: the subscription that is named or
    else the only one that has the feature.

    Refuses: `subscription_not_of_account`, `entitlement_not_given`,
    `entitlement_reservation_subscription_ambiguous`.
    """
    if named is not None and named not in known:
        raise subscription_not_of_account(
            pointer="/subscription_id", account_id=account_id, subscription_id=named
        )
    having = {
        subscription_id: decision
        for subscription_id, given in decided.subscriptions.items()
        for decision in given.features
        if decision.feature == feature_code
    }
    usable = {key: one for key, one in having.items() if one.allowed}
    if named is None and len(usable) > 1:
        raise reservation_subscription_ambiguous(
            pointer="/subscription_id", count=len(usable), feature_code=feature_code
        )
    chosen = named or next(iter(usable or having), None)
    if chosen is None or not having.get(chosen):
        reason = DenialReason.NOT_ENTITLED
        raise reservation_not_entitled(feature_code=feature_code, reason=reason.value)
    return chosen, _place(having[chosen])


def _place(decision: Decision) -> UUID | None:
    if not decision.allowed:
        reason = decision.reason or DenialReason.NOT_ENTITLED
        raise reservation_not_entitled(feature_code=decision.feature, reason=reason.value)
    if decision.pool is None:
        raise reservation_not_countable(feature_code=decision.feature)
    return decision.pool.subscription_id


def refuse_uncountable(meter: MeterDefinition, *, feature_code: str, amount: Decimal) -> None:
    """Only what is added up is used up, and events are counted one by one.

    Refuses: `entitlement_not_reservable`, `entitlement_reservation_amount_invalid`.
    """
    if meter.aggregation not in {Aggregation.SUM, Aggregation.COUNT} or meter.carries_over:
        raise reservation_not_countable(feature_code=feature_code)
    if meter.aggregation is Aggregation.COUNT and amount != 1:
        raise reservation_amount_invalid(
            pointer="/amount", why="The meter counts events, so that one is reserved at a time."
        )


def counted_properties(
    meter: MeterDefinition, *, amount: Decimal, given: Mapping[str, PropertyValue]
) -> dict[str, PropertyValue] | None:
    """The properties of an event that the meter counts as so much. A filter that leaves no choice needs
    not be given.

    Refuses: `entitlement_reservation_usage_not_counted`.
    """
    properties = dict(given)
    for name, values in meter.filters.items():
        if len(values) == 1:
            properties.setdefault(name, values[0])
        if _as_text(properties.get(name)) not in values:
            raise reservation_usage_not_counted(
                pointer="/properties", property=name, values=", ".join(values)
            )
    if meter.property is not None:
        properties[meter.property] = format(amount, "f")
    return properties or None


def _as_text(value: PropertyValue | None) -> str | None:
    """As the database shows a member of JSON as text."""
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: None}[value]
    return str(value)
