"""How does what is known of VAT ids change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.tax.model import VatIdCheck
from billwright.features.tax.sql.reads import CHECK_COLUMNS, vat_id_check_from_row
from billwright.runtime.db.tx import Tx


async def replace_checks(tx: Tx, checks: Sequence[VatIdCheck]) -> int:
    """Store checks of tax ids that are new, or that differ or are read differently from the stored
    ones; how many those were.
    """
    return await tx.execute(
        """insert into vat_id_check (tenant_id, account_id, tax_id, vat_id, status, source,
               checked_at, attempts, next_check_at)
           select $1, n.account_id, n.tax_id, n.vat_id, n.status, n.source, n.checked_at, 0,
               n.next_check_at
           from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
               $7::timestamptz[], $8::timestamptz[])
               as n (account_id, tax_id, vat_id, status, source, checked_at, next_check_at)
           order by n.account_id
           on conflict (tenant_id, account_id) do update
               set tax_id = excluded.tax_id, vat_id = excluded.vat_id, status = excluded.status,
                   source = excluded.source, checked_at = excluded.checked_at, attempts = 0,
                   next_check_at = excluded.next_check_at
               where (vat_id_check.tax_id, vat_id_check.vat_id)
                   is distinct from (excluded.tax_id, excluded.vat_id)""",
        tx.tenant_id,
        [check.account_id for check in checks],
        [check.tax_id for check in checks],
        [check.vat_id for check in checks],
        [check.status.value for check in checks],
        [check.source for check in checks],
        [check.checked_at for check in checks],
        [check.next_check_at for check in checks],
    )


async def claim_due_checks(tx: Tx, *, leased_until: datetime, limit: int) -> list[VatIdCheck]:
    """Take up to `limit` checks that are due; until `leased_until` nobody else takes them."""
    # Materialized, because a join could otherwise run the limited part again for every row.
    rows = await tx.fetch(
        f"""with due as materialized (
                select d.account_id from vat_id_check d
                where d.tenant_id = $1 and d.next_check_at <= $2
                order by d.next_check_at, d.account_id
                limit $4
                for update skip locked
            )
            update vat_id_check c set attempts = c.attempts + 1, next_check_at = $3
            from due where c.tenant_id = $1 and c.account_id = due.account_id
            returning {CHECK_COLUMNS}""",
        tx.tenant_id,
        tx.now,
        leased_until,
        limit,
    )
    return [vat_id_check_from_row(row) for row in rows]


async def record_checks(tx: Tx, checks: Sequence[VatIdCheck]) -> set[UUID]:
    """Store what became of checks; whose they were, less those whose VAT id is another one by now."""
    rows = await tx.fetch(
        """update vat_id_check c
           set status = n.status, source = n.source, checked_at = n.checked_at,
               attempts = n.attempts, next_check_at = n.next_check_at
           from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
               $7::int[], $8::timestamptz[], $9::text[])
               as n (account_id, tax_id, status, source, checked_at, attempts, next_check_at, vat_id)
           where c.tenant_id = $1 and c.account_id = n.account_id and c.tax_id = n.tax_id
               and c.vat_id = n.vat_id
           returning c.account_id""",
        tx.tenant_id,
        [check.account_id for check in checks],
        [check.tax_id for check in checks],
        [check.status.value for check in checks],
        [check.source for check in checks],
        [check.checked_at for check in checks],
        [check.attempts for check in checks],
        [check.next_check_at for check in checks],
        [check.vat_id for check in checks],
    )
    return {row["account_id"] for row in rows}
