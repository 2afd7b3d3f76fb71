"""What does the database know of document numbers?"""

from __future__ import annotations

from datetime import date

from billwright.features.invoicing.model import DocumentKind, InvoiceSeries, SeriesRestart
from billwright.features.invoicing.rules.numbering import (
    DEFAULT_SERIES,
    document_number,
    fiscal_year,
)
from billwright.features.tenancy.model import Seller
from billwright.runtime.db.tx import Tx


async def list_series(tx: Tx, seller: Seller, *, on: date) -> list[InvoiceSeries]:
    """How each kind of document is numbered, as it would be on a day."""
    year = fiscal_year(on, start_month=seller.fiscal_year_start_month)
    rows = await tx.fetch(
        """select s.kind, s.template, s.restarts, s.revision,
               coalesce(n.last_sequence, 0) as last_sequence
           from invoice_series s
           left join invoice_number n on n.tenant_id = s.tenant_id and n.series_id = s.id
               and n.fiscal_year = case s.restarts when 'never' then 0 else $3::int end
           where s.tenant_id = $1 and s.seller_id = $2""",
        tx.tenant_id,
        seller.id,
        year,
    )
    stored = {
        row["kind"]: (
            row["template"],
            SeriesRestart(row["restarts"]),
            row["last_sequence"],
            row["revision"],
        )
        for row in rows
    }
    series = []
    for kind in DocumentKind:
        unused = DEFAULT_SERIES[kind].template, SeriesRestart.YEARLY, 0, 0
        template, restarts, last, revision = stored.get(kind, unused)
        number = document_number(template, year=year, month=on.month, sequence=last + 1)
        series.append(
            InvoiceSeries(
                kind=kind,
                template=template,
                restarts=restarts,
                next_number=number,
                revision=revision,
            )
        )
    return series


async def is_number_taken(tx: Tx, number: str) -> bool:
    """Whether a document of any kind has this number."""
    taken: bool = await tx.fetch_value(
        "select exists (select from invoice where tenant_id = $1 and number = $2)",
        tx.tenant_id,
        number,
    )
    return taken
