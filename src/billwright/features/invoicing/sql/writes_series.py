"""How does a series of numbers change?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.invoicing.model import DocumentKind, SeriesRestart
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def store_series(
    tx: Tx,
    *,
    seller_id: UUID,
    code: str,
    kind: DocumentKind,
    template: str,
    restarts: SeriesRestart,
) -> tuple[UUID, int]:
    """Make or change a seller's series, which stays locked until the commit; returns its id and its
    revision.
    """
    row = await tx.fetch_row(
        """insert into invoice_series as known
               (tenant_id, id, seller_id, code, kind, template, restarts, revision)
           values ($1, $2, $3, $4, $5, $6, $7, 1)
           on conflict (tenant_id, seller_id, code)
               do update set template = excluded.template, restarts = excluded.restarts,
                   revision = known.revision + 1
           returning id, revision""",
        tx.tenant_id,
        new_id(),
        seller_id,
        code,
        kind.value,
        template,
        restarts.value,
    )
    assert row is not None  # noqa: S101 - it was inserted or updated
    return row["id"], row["revision"]


async def carry_sequence(tx: Tx, *, series_id: UUID, year: int, counting_year: int) -> int:
    """Let the series count on, in `counting_year` (zero where it never restarts), behind what it has
    counted in this year and altogether; returns the last sequence, whose row stays locked.
    """
    last_sequence: int = await tx.fetch_value(
        """insert into invoice_number (tenant_id, series_id, fiscal_year, last_sequence)
           select $1, $2, $4, coalesce(max(n.last_sequence), 0) from invoice_number n
           where n.tenant_id = $1 and n.series_id = $2 and n.fiscal_year in (0, $3)
           on conflict (tenant_id, series_id, fiscal_year) do update
               set last_sequence = greatest(invoice_number.last_sequence, excluded.last_sequence)
           returning last_sequence""",
        tx.tenant_id,
        series_id,
        year,
        counting_year,
    )
    return last_sequence
