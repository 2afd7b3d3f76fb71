"""Which invoices' money is to be asked for now, and when is it asked for next?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.writes import claim_to_collect, set_collect_at
from billwright.runtime.db.tx import Tx


async def claim_invoices_to_collect(  # tidy: forwarding - a higher feature collects
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, limit: int
) -> list[Invoice]:
    """Lock invoices whose money is asked for by `as_of`, after their accounts: those that have waited
    longest, without those that somebody else holds. The caller reschedules each in the same commit.
    """
    return await claim_to_collect(tx, as_of=as_of, test_clock_id=test_clock_id, limit=limit)


async def reschedule_collection(tx: Tx, instants: Mapping[UUID, datetime | None]) -> None:
    """Note when the money of locked invoices is next asked for; none when nobody waits for that."""
    if instants:
        await set_collect_at(tx, instants)
