"""What does the database know of VAT ids?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from billwright.features.tax.model import VatIdCheck, VatIdStatus
from billwright.runtime.db.tx import Tx

CHECK_COLUMNS = """c.account_id, c.tax_id, c.vat_id, c.status, c.source, c.checked_at, c.attempts,
    c.next_check_at"""


async def vat_id_checks(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, VatIdCheck]:
    """What is stored of many accounts' VAT ids, in one query; accounts without one are missing."""
    rows = await tx.fetch(
        f"""select {CHECK_COLUMNS} from vat_id_check c
            where c.tenant_id = $1 and c.account_id = any($2::uuid[])""",
        tx.tenant_id,
        account_ids,
    )
    return {row["account_id"]: vat_id_check_from_row(row) for row in rows}


def vat_id_check_from_row(row: asyncpg.Record) -> VatIdCheck:
    return VatIdCheck(
        account_id=row["account_id"],
        tax_id=row["tax_id"],
        vat_id=row["vat_id"],
        status=VatIdStatus(row["status"]),
        source=row["source"],
        checked_at=row["checked_at"],
        attempts=row["attempts"],
        next_check_at=row["next_check_at"],
    )
