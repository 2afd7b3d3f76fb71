"""What is given back for service that was charged and will not be used?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from billwright.features.catalog.model import PlanComponent, PlanVersion, Timing
from billwright.features.invoicing.model import Basis, ChargeKind, LiveCharge, NewCharge
from billwright.features.pricing.rules.service_price import recurring_parts, recurring_price
from billwright.features.promotions.model import PromotionKind, Redemption
from billwright.kernel.calendar import Period
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, allocate, round_to_minor
from billwright.kernel.proration import share_of


def unused_credits(
    live: Iterable[LiveCharge],
    versions: Mapping[UUID, PlanVersion],
    *,
    at: datetime,
    currency: Currency,
    redemptions: Iterable[Redemption] = (),
) -> tuple[NewCharge, ...]:
    """A credit for each charge, for its service from `at` on (all of it, where it begins later).

    A credit is priced like a charge for the same time, so that a change and its undoing at one instant
    cancel out; it never exceeds what was charged and not yet given back. Free days, which
    `redemptions` tell apart, were the first of the time, and other discounts are given back in
    proportion.
    """
    free_days = {one.id for one in redemptions if one.kind is PromotionKind.FREE_DAYS}
    return tuple(
        _credit(
            one, _component(one.charge, versions), at=at, currency=currency, free_days=free_days
        )
        for one in live
        if one.charge.period_end > at
    )


def in_arrears(
    live: Iterable[LiveCharge], versions: Mapping[UUID, PlanVersion]
) -> tuple[LiveCharge, ...]:
    """Those that were charged early although they are owed when their time has passed, as what is
    missing to a minimum always is.
    """
    return tuple(
        one
        for one in live
        if one.charge.kind is ChargeKind.MINIMUM
        or _component(one.charge, versions).timing is Timing.IN_ARREARS
    )


def _credit(
    live: LiveCharge,
    component: PlanComponent,
    *,
    at: datetime,
    currency: Currency,
    free_days: AbstractSet[UUID],
) -> NewCharge:
    charge = live.charge
    start = max(at, charge.period_start)
    listed_minor = live.listed_minor
    if start > charge.period_start:
        price_minor = _listed_from(live, component, start=start, currency=currency)
        listed_minor = min(price_minor, listed_minor)
    returned = _returned(live, listed_minor, currency=currency, free_days=free_days)
    net_minor = listed_minor + sum(given_minor for _, given_minor in returned)
    return NewCharge(
        subscription_id=charge.subscription_id,
        plan_component_id=charge.plan_component_id,
        kind=ChargeKind.PRORATION_CREDIT,
        period_start=start,
        period_end=charge.period_end,
        description=charge.description,
        quantity=charge.quantity,
        unit_name=charge.unit_name,
        unit_price=None,
        amount_minor=-min(net_minor, live.creditable_minor),
        tax_category=charge.tax_category,
        tax_inclusive=charge.tax_inclusive,
        discounts=returned,
        corrects_charge_id=live.id,
        tax_rate=charge.tax_rate,
        basis=_whole_of(charge),
    )


def _returned(
    live: LiveCharge, listed_minor: int, *, currency: Currency, free_days: AbstractSet[UUID]
) -> tuple[tuple[UUID, int], ...]:
    """What a credit of so much returns of the charge's discounts, below zero. Service used the free
    days up first; the others were taken off what these had left.
    """
    served_minor = live.listed_minor - listed_minor
    unused: dict[UUID, int] = {}
    free_minor = 0
    for redemption_id, given_minor in live.charge.discounts:
        if redemption_id in free_days:
            used_minor = min(given_minor, served_minor)
            served_minor -= used_minor
            free_minor += given_minor
            unused[redemption_id] = given_minor - used_minor
    others = [given for given in live.charge.discounts if given[0] not in unused]
    rest = Fraction(listed_minor - sum(unused.values()), live.listed_minor - free_minor or 1)
    returned = unused | _shared(others, rest=rest, currency=currency)
    return tuple(
        (redemption_id, -returned[redemption_id]) for redemption_id, _ in live.charge.discounts
    )


def _shared(
    discounts: Sequence[tuple[UUID, int]], *, rest: Fraction, currency: Currency
) -> dict[UUID, int]:
    """The part of discounts, rounded once for all of them: together they never exceed what they were
    taken off.
    """
    weights = [given_minor for _, given_minor in discounts]
    if not sum(weights):
        return {}
    parts = allocate(Money(sum(weights), currency).share(rest), weights)
    return {
        redemption_id: part.amount_minor
        for (redemption_id, _), part in zip(discounts, parts, strict=True)
    }


def _listed_from(
    live: LiveCharge, component: PlanComponent, *, start: datetime, currency: Currency
) -> int:
    """What the charge would have listed for its time from `start` on. What was missing to a minimum has
    no price of its own; it is spread evenly over its time.
    """
    charge = live.charge
    share = _share_from(charge, start=start)
    if charge.kind is ChargeKind.MINIMUM:
        part = share / _share_from(charge, start=charge.period_start)
        return Money(live.listed_minor, currency).share(part).amount_minor
    basis = charge.basis or Basis()
    parts = recurring_parts(
        basis.pricing or component.prices[currency.code],
        charge.quantity,
        free_units=component.free_units,
    )
    return round_to_minor(
        recurring_price(parts, share=share), currency=currency, rounding=basis.rounding
    ).amount_minor


def _share_from(charge: NewCharge, *, start: datetime) -> Fraction:
    """The share of the whole period that is left of the charge's time from `start` on."""
    basis = _whole_of(charge)
    assert basis.whole_start is not None  # noqa: S101 - `_whole_of` fills them
    assert basis.whole_end is not None  # noqa: S101
    return share_of(
        part_start=start,
        part_end=charge.period_end,
        whole=Period(0, basis.whole_start, basis.whole_end),
        granularity=basis.granularity,
        zone=basis.zone,
    )


def _whole_of(charge: NewCharge) -> Basis:
    """The basis of a charge with its whole period spelled out."""
    basis = charge.basis or Basis()
    return Basis(
        whole_start=basis.whole_start or charge.period_start,
        whole_end=basis.whole_end or charge.period_end,
        granularity=basis.granularity,
        zone=basis.zone,
        rounding=basis.rounding,
        pricing=basis.pricing,
    )


def _component(charge: NewCharge, versions: Mapping[UUID, PlanVersion]) -> PlanComponent:
    component_id = charge.plan_component_id
    assert component_id is not None  # noqa: S101 - what is live has one
    return next(one for one in versions[component_id].components if one.id == component_id)
