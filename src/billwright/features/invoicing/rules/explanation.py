"""Why does a line amount to what it does, and does it still when it is computed again?

An explanation holds what the amount was computed from, and what it was computed to on the way; from the
inputs alone anybody gets the same again. The rule of a kind of charge may change one day: then it gets
a new version, and this page keeps the old one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billwright.features.catalog.model import PlanComponent, PlanVersion
from billwright.features.invoicing.model import (
    Basis,
    ChargeKind,
    LiveCharge,
    NewCharge,
    UsedOf,
)
from billwright.features.pricing.rules.parts import PricePart, total
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.pricing.rules.service_price import (
    recurring_parts,
    recurring_price,
    usage_parts,
)
from billwright.kernel.calendar import Period
from billwright.kernel.currency import Currency
from billwright.kernel.money import Rounding, round_to_minor
from billwright.kernel.proration import Granularity, share_of

_WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start` up to, but not including, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Minimum:
    """What a whole period costs at least, and what its units come to before discounts."""

    minimum_minor: int
    reached_minor: int


@dataclass(frozen=True, slots=True)
class Correction:
    """The charge that a line takes back: where it stands, its window, its amount before and after
    discounts, and how much of the latter was left before this line.
    """

    charge_id: UUID
    invoice_number: str | None
    window: Window
    listed_minor: int
    amount_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class TakenOff:
    """What a promotion took off, in minor units; negative where a credit gives it back to it."""

    redemption_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the amount depends on, by the rule `kind` in its version `rule_version`.

    `pricing` is the definition that prices the units beyond the free ones, absent where a person set
    the `unit_price` or (`given_minor`) the amount. `whole` is the undivided period that the `window`
    is a share of, absent where nothing is shared. `already_minor` is what the window was charged before
    a line that adjusts it, minimum included.
    """

    kind: ChargeKind
    rule_version: int
    currency: Currency
    quantity: Decimal
    window: Window
    pricing: Pricing | None = None
    free_units: Decimal = Decimal(0)
    unit_price: Decimal | None = None
    given_minor: int | None = None
    whole: Window | None = None
    granularity: Granularity = Granularity.SECOND
    zone: str = "UTC"
    rounding: Rounding = Rounding.HALF_UP
    minimum: Minimum | None = None
    correction: Correction | None = None
    already_minor: int | None = None
    discounts: tuple[TakenOff, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """The steps to the amount: the share of the whole period, the terms of the price, the exact amount
    in major units, what rounding makes of it, and what is left after discounts.
    """

    share: Fraction
    parts: tuple[PricePart, ...]
    exact: Fraction | None
    rounded_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PlanPlace:
    """Which component of which version of a plan was charged."""

    plan_code: str
    plan_version: int
    component_code: str
    component_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A line's amount with its reasons; `own_price` says that the subscription has a price of its own.

    `agrees` is whether the inputs make the amount that was charged, which they always do unless
    someone has tampered with either.
    """

    charge_id: UUID
    place: PlanPlace | None
    own_price: bool
    inputs: Inputs
    computed: Computed
    usage: UsedOf | None
    amount_minor: int

    @property
    def agrees(self) -> bool:
        return self.computed.amount_minor == self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an explanation needs to know beside the charge: its plan, its rule's version, what it
    corrects, and what the lines of its own document come to, for a minimum.
    """

    currency: Currency
    rule_version: int
    version: PlanVersion | None
    correction: Correction | None
    reached_minor: int
    discounts: Sequence[tuple[UUID, int]]


def explain(live: LiveCharge, around: Surroundings) -> Explanation:
    """The explanation of a charge by the rule that made it."""
    charge, component = live.charge, _component(live.charge, around.version)
    inputs = _reached(_inputs(charge, component, around=around))
    place = None
    if component is not None and around.version is not None:
        version = around.version
        place = PlanPlace(version.plan_code, version.number, component.code, component.name)
    basis = charge.basis or Basis()
    return Explanation(
        charge_id=live.id,
        place=place,
        own_price=basis.pricing is not None,
        inputs=inputs,
        computed=computed(inputs),
        usage=basis.usage,
        amount_minor=charge.amount_minor,
    )


def computed(inputs: Inputs) -> Computed:
    """What the inputs make, step by step."""
    share = _share(inputs)
    parts, exact = _price(inputs, share=share)
    if exact is None:
        rounded_minor = inputs.given_minor or 0
    else:
        rounded_minor = round_to_minor(
            exact, currency=inputs.currency, rounding=inputs.rounding
        ).amount_minor
    return Computed(
        share=share,
        parts=parts,
        exact=exact,
        rounded_minor=rounded_minor,
        amount_minor=_amount(inputs, rounded_minor, share=share),
    )


def _reached(inputs: Inputs) -> Inputs:
    """Of an adjustment, what its units come to is computed: no other line says it."""
    if inputs.kind is not ChargeKind.USAGE_ADJUSTMENT or inputs.minimum is None:
        return inputs
    reached_minor = computed(inputs).rounded_minor
    return replace(inputs, minimum=replace(inputs.minimum, reached_minor=reached_minor))


def reached_by(
    charge: NewCharge, lines: Sequence[LiveCharge], *, discounts: Mapping[UUID, int]
) -> int:
    """What the units come to that a minimum fills up, before discounts, in minor units; nothing where
    nothing was used. `discounts` are by line.
    """
    return sum(
        each.charge.amount_minor + discounts.get(each.id, 0)
        for each in lines
        if each.charge.kind in {ChargeKind.RECURRING, ChargeKind.USAGE}
        and each.charge.subscription_id == charge.subscription_id
        and each.charge.plan_component_id == charge.plan_component_id
        and each.charge.period_start == charge.period_start
    )


def _component(charge: NewCharge, version: PlanVersion | None) -> PlanComponent | None:
    if version is None:
        return None
    return next(each for each in version.components if each.id == charge.plan_component_id)


def _inputs(charge: NewCharge, component: PlanComponent | None, *, around: Surroundings) -> Inputs:
    basis = charge.basis or Basis()
    pricing = None
    if component is not None:
        pricing = basis.pricing or component.prices[around.currency.code]
    given_minor = charge.amount_minor if charge.kind is ChargeKind.CREDIT else None
    if charge.kind is ChargeKind.MANUAL and charge.unit_price is None:
        given_minor = charge.amount_minor
    is_priced = charge.kind not in {ChargeKind.CREDIT, ChargeKind.MINIMUM, ChargeKind.MANUAL}
    whole = None
    if basis.whole_start is not None and basis.whole_end is not None:
        whole = Window(basis.whole_start, basis.whole_end)
    minimum = None
    has_minimum = charge.kind in {ChargeKind.MINIMUM, ChargeKind.USAGE_ADJUSTMENT}
    if has_minimum and basis.minimum_minor is not None:
        minimum = Minimum(basis.minimum_minor, around.reached_minor)
    return Inputs(
        kind=charge.kind,
        rule_version=around.rule_version,
        currency=around.currency,
        quantity=charge.quantity if basis.recounted is None else basis.recounted,
        window=Window(charge.period_start, charge.period_end),
        pricing=pricing if is_priced else None,
        free_units=component.free_units if component is not None and is_priced else Decimal(0),
        unit_price=charge.unit_price if charge.kind is ChargeKind.MANUAL else None,
        given_minor=given_minor,
        whole=whole,
        granularity=basis.granularity,
        zone=basis.zone,
        rounding=basis.rounding,
        minimum=minimum,
        correction=around.correction,
        already_minor=basis.already_minor,
        discounts=tuple(TakenOff(*each) for each in around.discounts),
    )


def _share(inputs: Inputs) -> Fraction:
    whole = inputs.whole
    if whole is None:
        return _WHOLE
    return share_of(
        part_start=inputs.window.start,
        part_end=inputs.window.end,
        whole=Period(0, whole.start, whole.end),
        granularity=inputs.granularity,
        zone=inputs.zone,
    )


def _price(inputs: Inputs, *, share: Fraction) -> tuple[tuple[PricePart, ...], Fraction | None]:
    """The terms of the price and the exact amount of its share; none where a person set the amount."""
    if inputs.given_minor is not None:
        return (), None
    if inputs.minimum is not None and inputs.kind is ChargeKind.MINIMUM:
        return (), _least(inputs, share)
    if inputs.pricing is None:
        return (), Fraction(inputs.quantity) * Fraction(inputs.unit_price or 0)
    if inputs.kind is ChargeKind.USAGE_ADJUSTMENT and not inputs.quantity:
        return (), Fraction(0)
    if inputs.kind in {ChargeKind.USAGE, ChargeKind.USAGE_ADJUSTMENT}:
        parts = usage_parts(
            inputs.pricing, inputs.quantity, free_units=inputs.free_units, share=share
        )
        return parts, total(parts)
    parts = recurring_parts(inputs.pricing, inputs.quantity, free_units=inputs.free_units)
    return parts, recurring_price(parts, share=share)


def _least(inputs: Inputs, share: Fraction) -> Fraction:
    """What a share of the period costs at least, exact and in major units."""
    minimum_minor = inputs.minimum.minimum_minor if inputs.minimum else 0
    return Fraction(minimum_minor, 10**inputs.currency.exponent) * share


def _amount(inputs: Inputs, rounded_minor: int, *, share: Fraction) -> int:
    discounted = sum(each.amount_minor for each in inputs.discounts)
    if inputs.already_minor is not None:
        least = round_to_minor(
            _least(inputs, share), currency=inputs.currency, rounding=inputs.rounding
        )
        return max(rounded_minor, least.amount_minor) - inputs.already_minor - discounted
    if inputs.kind is ChargeKind.PRORATION_CREDIT and inputs.correction is not None:
        # Priced like a charge, it gives back no more than was listed, and no more than is left.
        listed_minor = min(rounded_minor, inputs.correction.listed_minor)
        return -min(listed_minor + discounted, inputs.correction.left_minor)
    if inputs.minimum is not None:
        return rounded_minor - inputs.minimum.reached_minor - discounted
    return rounded_minor - discounted
