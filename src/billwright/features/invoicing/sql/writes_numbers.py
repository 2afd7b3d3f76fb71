"""How are documents numbered without gaps?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from billwright.features.invoicing.model import DocumentKind
from billwright.features.invoicing.rules.numbering import (
    DEFAULT_SERIES,
    document_number,
    fiscal_year,
)
from billwright.features.tenancy.model import Seller
from billwright.kernel.ids import new_id
from billwright.kernel.quick import quickly_made
from billwright.runtime.db.tx import Tx


@quickly_made
@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """A place in a series, which counts in `fiscal_year` (zero where it never restarts), and the
    number as it is printed.
    """

    series_id: UUID
    fiscal_year: int
    sequence: int
    text: str


async def take_numbers(
    tx: Tx, seller: Seller, *, issued_on: date, kinds: Sequence[DocumentKind]
) -> list[DocumentNumber]:
    """Take the next number for each document; series that do not exist yet are made. They stay locked
    until the commit, which is what makes numbers gapless.

    The series of invoices is always locked first, also where a credit note alone needs a number: so a
    transaction that comes to need both can never wait for one that holds the other.
    """
    counts = {DocumentKind.INVOICE: 0, **Counter(kinds)}
    year = fiscal_year(issued_on, start_month=seller.fiscal_year_start_month)
    taken = await _take(tx, seller, year=year, counts=counts)
    missing = [kind for kind in DEFAULT_SERIES if kind in counts and kind not in taken]
    if missing:
        await _create_series(tx, seller, kinds=missing)
        taken |= await _take(tx, seller, year=year, counts={kind: counts[kind] for kind in missing})
    following = {kind: row["last_sequence"] - counts[kind] + 1 for kind, row in taken.items()}
    numbers = []
    for kind in kinds:
        row, sequence = taken[kind], following[kind]
        following[kind] += 1
        text = document_number(row["template"], year=year, month=issued_on.month, sequence=sequence)
        numbers.append(DocumentNumber(row["series_id"], row["fiscal_year"], sequence, text))
    return numbers


async def _take(
    tx: Tx, seller: Seller, *, year: int, counts: Mapping[DocumentKind, int]
) -> dict[DocumentKind, asyncpg.Record]:
    kinds = [kind for kind in DEFAULT_SERIES if kind in counts]
    rows = await tx.fetch(
        """with taken as (
               insert into invoice_number (tenant_id, series_id, fiscal_year, last_sequence)
               select $1, s.id, case s.restarts when 'never' then 0 else $5::int end, w.count
               from unnest($3::text[], $4::bigint[]) with ordinality as w (code, count, place)
               join invoice_series s on s.tenant_id = $1 and s.seller_id = $2 and s.code = w.code
               order by w.place
               on conflict (tenant_id, series_id, fiscal_year) do update
                   set last_sequence = invoice_number.last_sequence + excluded.last_sequence
               returning series_id, fiscal_year, last_sequence)
           select t.series_id, t.fiscal_year, t.last_sequence, s.kind, s.template
           from taken t join invoice_series s on s.tenant_id = $1 and s.id = t.series_id""",
        tx.tenant_id,
        seller.id,
        [DEFAULT_SERIES[kind].code for kind in kinds],
        [counts[kind] for kind in kinds],
        year,
    )
    return {DocumentKind(row["kind"]): row for row in rows}


async def _create_series(tx: Tx, seller: Seller, *, kinds: Sequence[DocumentKind]) -> None:
    await tx.insert(
        "invoice_series",
        [
            {
                "id": new_id(),
                "seller_id": seller.id,
                "code": DEFAULT_SERIES[kind].code,
                "template": DEFAULT_SERIES[kind].template,
                "kind": kind,
                "restarts": "yearly",
            }
            for kind in kinds
        ],
        on_conflict="on conflict do nothing",
    )
