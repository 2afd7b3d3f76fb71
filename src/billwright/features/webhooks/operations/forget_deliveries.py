"""How long is it known what was sent?"""

from __future__ import annotations

from datetime import timedelta

from billwright.features.webhooks.sql.writes import forget_deliveries as forget_rows
from billwright.features.webhooks.sql.writes import forget_endpoints
from billwright.kernel.id_bounds import first_id_at
from billwright.runtime.db.tx import Tx

KEPT_DAYS = 30
_BATCH_SIZE = 5000


async def forget_deliveries(tx: Tx) -> int:
    """Forget a batch of deliveries and attempts from before thirty days, and endpoints that are deleted
    and have none; returns how many rows. The events stay in the log.
    """
    before = first_id_at(tx.now - timedelta(days=KEPT_DAYS))
    forgotten = await forget_rows(tx, before=before, limit=_BATCH_SIZE)
    return forgotten or await forget_endpoints(tx)
