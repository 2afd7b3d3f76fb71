"""What does it cost that more, or less, was used than was billed?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billwright.features.catalog.model import PlanComponent, PlanVersion
from billwright.features.invoicing.model import ChargeKind, NewCharge, UsedOf
from billwright.features.pricing.rules.parts import exact_total
from billwright.features.pricing.rules.service_price import usage_parts
from billwright.features.subscriptions.model import BilledUsage
from billwright.features.usage.model import Used
from billwright.kernel.calendar import Period
from billwright.kernel.currency import Currency
from billwright.kernel.money import round_to_minor
from billwright.kernel.proration import share_of


def recounted(
    billed: BilledUsage,
    used: Used | None,
    *,
    version: PlanVersion,
    currency: Currency,
    cutoff: datetime,
) -> tuple[BilledUsage, NewCharge | None]:
    """A window as it is known now, and the difference to what was billed; none when it costs nothing.

    It is priced as it was: by the same price, share and rounding, of which `version` is the plan's. A
    promotion has no part in it.
    """
    component = next(one for one in version.components if one.id == billed.plan_component_id)
    quantity = max(used.quantity, Decimal(0)) if used else Decimal(0)
    known = UsedOf(
        meter=billed.meter,
        cutoff=cutoff,
        events=used.events if used else 0,
        digest=used.digest if used else "",
        meter_version=used.meter_version if used else billed.meter_version or 0,
    )
    owed_minor = _owed(billed, component, quantity=quantity, currency=currency)
    difference_minor = owed_minor - billed.owed_minor
    after = replace(
        billed,
        cutoff=cutoff,
        quantity=quantity,
        events=known.events,
        digest=used.digest if used else None,
        meter_version=used.meter_version if used else billed.meter_version,
        owed_minor=owed_minor,
        adjustments=billed.adjustments + (1 if difference_minor else 0),
    )
    if not difference_minor:
        return after, None
    charge = NewCharge(
        subscription_id=billed.subscription_id,
        plan_component_id=component.id,
        kind=ChargeKind.USAGE_ADJUSTMENT,
        period_start=billed.start,
        period_end=billed.end,
        description=f"{version.name}: {component.name}",
        quantity=Decimal(1),
        unit_name="",
        unit_price=None,
        amount_minor=difference_minor,
        tax_category=version.tax_category,
        tax_inclusive=version.tax_inclusive,
        basis=replace(
            billed.basis,
            minimum_minor=component.minimums.get(currency.code),
            usage=known,
            recounted=quantity,
            already_minor=billed.owed_minor,
        ),
    )
    return after, charge


def _owed(
    billed: BilledUsage, component: PlanComponent, *, quantity: Decimal, currency: Currency
) -> int:
    basis = billed.basis
    share = _share(billed)
    parts = usage_parts(
        basis.pricing or component.prices[currency.code],
        quantity,
        free_units=component.free_units,
        share=share,
    )
    # What is not used costs nothing, whatever the price says of no units.
    exact = exact_total(parts) if quantity else Fraction(0)
    used = round_to_minor(exact, currency=currency, rounding=basis.rounding)
    minimum_minor = component.minimums.get(currency.code, 0)
    least = round_to_minor(
        Fraction(minimum_minor, 10**currency.exponent) * share,
        currency=currency,
        rounding=basis.rounding,
    )
    return max(used.amount_minor, least.amount_minor)


def _share(billed: BilledUsage) -> Fraction:
    basis = billed.basis
    if basis.whole_start is None or basis.whole_end is None:
        raise ValueError(f"nothing says which period the window {billed.id} is a part of")
    return share_of(
        part_start=billed.start,
        part_end=billed.end,
        whole=Period(0, basis.whole_start, basis.whole_end),
        granularity=basis.granularity,
        zone=basis.zone,
    )
