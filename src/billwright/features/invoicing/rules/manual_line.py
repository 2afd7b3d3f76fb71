"""Which lines may a person write on an invoice?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billwright.features.invoicing.errors import (
    invoice_total_negative,
    invoice_without_line,
    line_period_reversed,
    line_too_large,
)
from billwright.features.invoicing.model import ChargeKind, NewCharge
from billwright.kernel.currency import Currency
from billwright.kernel.money import round_to_minor

# A thousand lines of this size, with tax, still fit the 64 bits of an invoice's total.
_LARGEST_LINE_MINOR = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualLine:
    """So many units at a price, in major units and exact; a price below zero takes something off.

    The price contains the tax where `tax_inclusive`. Without a service period, the service is of the
    instant at which the line is written.
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    unit_name: str = ""
    tax_category: str = "standard"
    tax_inclusive: bool = False
    period_start: datetime | None = None
    period_end: datetime | None = None


def manual_charge(
    line: ManualLine, *, written_at: datetime, currency: Currency, pointer: str
) -> NewCharge:
    """A line as a charge, rounded half up once. Refuses: `line_too_large`, `line_period_reversed`."""
    start = line.period_start or line.period_end or written_at
    end = line.period_end or start
    if end < start:
        raise line_period_reversed(pointer=f"{pointer}/period_end")
    exact = Fraction(line.quantity) * Fraction(line.unit_price)
    amount_minor = round_to_minor(exact, currency=currency).amount_minor
    if abs(amount_minor) > _LARGEST_LINE_MINOR:
        raise line_too_large(pointer=f"{pointer}/unit_price")
    return NewCharge(
        subscription_id=None,
        plan_component_id=None,
        kind=ChargeKind.MANUAL,
        period_start=start,
        period_end=end,
        description=line.description,
        quantity=line.quantity,
        unit_name=line.unit_name,
        unit_price=line.unit_price,
        amount_minor=amount_minor,
        tax_category=line.tax_category,
        tax_inclusive=line.tax_inclusive,
    )


def manual_charges(
    lines: Sequence[ManualLine], *, written_at: datetime, currency: Currency
) -> tuple[NewCharge, ...]:
    """The lines of one invoice. What they take off must have been charged in the same tax category and
    kind of price, since no document charges less than nothing at some rate.

    Refuses: `invoice_without_line`, `invoice_total_negative`, and what `manual_charge` refuses.
    """
    if not lines:
        raise invoice_without_line(pointer="/lines")
    charges = tuple(
        manual_charge(line, written_at=written_at, currency=currency, pointer=f"/lines/{index}")
        for index, line in enumerate(lines)
    )
    sums: dict[tuple[str, bool], int] = defaultdict(int)
    for charge in charges:
        sums[charge.tax_category, charge.tax_inclusive] += charge.amount_minor
    for (category, _), amount_minor in sums.items():
        if amount_minor < 0:
            raise invoice_total_negative(pointer="/lines", tax_category=category)
    return charges
