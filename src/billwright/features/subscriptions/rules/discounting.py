"""What do promotions take off the charges of a step, and what do its credits give back to them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billwright.features.invoicing.model import ChargeKind, NewCharge
from billwright.features.invoicing.rules.service_time import service_time
from billwright.features.promotions.model import Discountable, Redemption
from billwright.features.promotions.rules.discounts import discounts_of
from billwright.features.promotions.rules.returns import ReturnedDiscount, with_returns
from billwright.kernel.currency import Currency


def discounted(
    charges: Sequence[NewCharge],
    redemptions: Sequence[Redemption],
    *,
    currency: Currency,
    period_start: datetime,
) -> tuple[tuple[NewCharge, ...], tuple[Redemption, ...]]:
    """The charges net of discounts, and the redemptions that changed by it.

    What credits return is available to the charges of the same step, so that changing a plan and
    changing it back costs no promotion.
    """
    if not redemptions:
        return tuple(charges), ()
    before = {redemption.id: redemption for redemption in redemptions}
    after = with_returns(before, _returned(charges))
    billed = [charge for charge in charges if charge.corrects_charge_id is None]
    outcome = discounts_of(
        [_discountable(charge) for charge in billed],
        list(after.values()),
        currency=currency,
        period_start=period_start,
    )
    net = iter(
        replace(
            charge,
            amount_minor=charge.amount_minor - sum(amount for _, amount in taken),
            discounts=taken,
        )
        for charge, taken in zip(billed, outcome.discounts, strict=True)
    )
    return (
        tuple(charge if charge.corrects_charge_id else next(net) for charge in charges),
        tuple(one for one in outcome.redemptions if one != before[one.id]),
    )


def discounted_in_turn(
    parts: Sequence[tuple[datetime, Sequence[NewCharge]]],
    redemptions: Sequence[Redemption],
    *,
    currency: Currency,
) -> tuple[tuple[NewCharge, ...], tuple[Redemption, ...]]:
    """The same for the charges of several periods, each with its start, one after the other: what is
    owed in arrears for a period is discounted as that period is, not as the next one.
    """
    if not redemptions:
        return tuple(charge for _, charges in parts for charge in charges), ()
    net: list[NewCharge] = []
    known = {one.id: one for one in redemptions}
    changed: dict[UUID, Redemption] = {}
    for period_start, charges in parts:
        if not charges:
            continue
        lines, after = discounted(
            charges, list(known.values()), currency=currency, period_start=period_start
        )
        net += lines
        changed |= {one.id: one for one in after}
        known |= changed
    return tuple(net), tuple(changed.values())


def _discountable(charge: NewCharge) -> Discountable:
    start, end = service_time(charge)
    return Discountable(
        amount_minor=charge.amount_minor,
        recurring=charge.kind is ChargeKind.RECURRING,
        service_start=start,
        service_end=end,
    )


def _returned(charges: Sequence[NewCharge]) -> Iterator[ReturnedDiscount]:
    for charge in charges:
        if charge.corrects_charge_id is None:
            continue
        start, end = service_time(charge)
        for redemption_id, amount_minor in charge.discounts:
            yield ReturnedDiscount(
                redemption_id=redemption_id,
                amount_minor=-amount_minor,
                listed_minor=-(charge.amount_minor + charge.discount_minor),
                service_start=start,
                service_end=end,
            )
