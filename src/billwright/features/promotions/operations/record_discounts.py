"""How is it recorded what a promotion took off which charge?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.promotions.model import Discount
from billwright.features.promotions.sql.writes import insert_discounts
from billwright.runtime.db.tx import Tx


async def record_discounts(tx: Tx, rows: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Record each use: charge, redemption, and minor units, which are negative where a credit gives
    back. A charge names a redemption once; nothing is recorded for zero.

    It is a part of the command that bills, which is audited there.
    """
    await insert_discounts(
        tx,
        [
            Discount(charge_id, redemption_id, amount_minor)
            for charge_id, redemption_id, amount_minor in rows
            if amount_minor
        ],
    )
