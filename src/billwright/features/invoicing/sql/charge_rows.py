"""What does a row say of a charge?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import msgspec

from billwright.features.invoicing.model import (
    Basis,
    ChargeId,
    ChargeKind,
    LiveCharge,
    NewCharge,
    UsedOf,
)
from billwright.features.pricing.rules.pricing import pricing_of
from billwright.features.promotions.sql.reads import discounts_of_charges
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

CHARGE_COLUMNS = """c.id, c.account_id, c.subscription_id, c.plan_component_id, c.kind, c.period_start,
    c.period_end, c.description, c.quantity, c.unit_name, c.unit_price, c.currency, c.amount_minor,
    c.discount_minor, c.tax_category, c.tax_inclusive, c.tax_rate, c.corrects_charge_id, c.reversed_from,
    c.credited_minor, c.basis"""

_Discounts = tuple[tuple[UUID, int], ...]


async def live_from_rows(tx: Tx, rows: Sequence[asyncpg.Record]) -> list[LiveCharge]:
    """Charges from rows with their columns; the discounts of all that have any by one query."""
    discounted = [row["id"] for row in rows if row["discount_minor"]]
    discounts = await discounts_of_charges(tx, discounted) if discounted else {}
    return [_live(row, discounts.get(row["id"], ())) for row in rows]


def _live(row: asyncpg.Record, discounts: _Discounts) -> LiveCharge:
    charge = NewCharge(
        subscription_id=row["subscription_id"],
        plan_component_id=row["plan_component_id"],
        kind=ChargeKind(row["kind"]),
        period_start=row["period_start"],
        period_end=row["period_end"],
        description=row["description"],
        quantity=row["quantity"],
        unit_name=row["unit_name"],
        unit_price=row["unit_price"],
        amount_minor=row["amount_minor"],
        tax_category=row["tax_category"],
        tax_inclusive=row["tax_inclusive"],
        discounts=discounts,
        corrects_charge_id=row["corrects_charge_id"],
        tax_rate=row["tax_rate"],
        basis=basis_of(row["basis"]) if row["basis"] else None,
    )
    return LiveCharge(
        id=ChargeId(row["id"]),
        charge=charge,
        credited_minor=row["credited_minor"],
        reversed_from=row["reversed_from"],
    )


def basis_of(stored: str) -> Basis:
    """What an amount was computed from, as it is kept: maybe before it had all members."""
    values = from_json(stored)
    return Basis(
        whole_start=msgspec.convert(values["whole_start"], datetime | None),
        whole_end=msgspec.convert(values["whole_end"], datetime | None),
        granularity=Granularity(values["granularity"]),
        zone=values["zone"],
        rounding=Rounding(values["rounding"]),
        pricing=pricing_of(values["pricing"]) if values["pricing"] else None,
        minimum_minor=values["minimum_minor"],
        usage=msgspec.convert(values["usage"], UsedOf | None),
        recounted=msgspec.convert(values.get("recounted"), Decimal | None),
        already_minor=values.get("already_minor"),
    )
