"""What does the database know of the pages on which payers leave methods?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.payment_methods.errors import payment_method_setup_unknown
from billwright.features.payment_methods.model import MethodId, MethodSetup, SetupId, SetupState
from billwright.runtime.db.tx import Tx

_SETUP_COLUMNS = """s.id, s.account_id, s.provider, s.provider_key, s.state, s.provider_reference,
    s.page_url_sealed, s.expires_at, s.payment_method_id, s.created_at, s.updated_at"""


async def setup_by_id(tx: Tx, setup_id: UUID) -> MethodSetup:
    """One setup. Refuses: `payment_method_setup_unknown`."""
    row = await tx.fetch_row(
        f"""select {_SETUP_COLUMNS} from payment_method_setup s
            where s.tenant_id = $1 and s.id = $2""",
        tx.tenant_id,
        setup_id,
    )
    if row is None:
        raise payment_method_setup_unknown(setup_id=setup_id)
    return _setup_from_row(row)


async def setup_by_key(tx: Tx, provider_key: str) -> MethodSetup | None:
    """The setup that a provider was asked for under this key."""
    row = await tx.fetch_row(
        f"""select {_SETUP_COLUMNS} from payment_method_setup s
            where s.tenant_id = $1 and s.provider_key = $2""",
        tx.tenant_id,
        provider_key,
    )
    return None if row is None else _setup_from_row(row)


async def setups_left(tx: Tx, *, as_of: datetime, limit: int) -> list[MethodSetup]:
    """Setups whose page has closed and of which nothing was heard, the first one first."""
    rows = await tx.fetch(
        f"""select {_SETUP_COLUMNS} from payment_method_setup s
            where s.tenant_id = $1 and s.state = 'open' and s.expires_at <= $2
            order by s.expires_at limit $3""",
        tx.tenant_id,
        as_of,
        limit,
    )
    return [_setup_from_row(row) for row in rows]


def _setup_from_row(row: asyncpg.Record) -> MethodSetup:
    return MethodSetup(
        id=SetupId(row["id"]),
        account_id=row["account_id"],
        provider=row["provider"],
        provider_key=row["provider_key"],
        state=SetupState(row["state"]),
        provider_reference=row["provider_reference"],
        page_url_sealed=row["page_url_sealed"],
        expires_at=row["expires_at"],
        payment_method_id=None
        if row["payment_method_id"] is None
        else MethodId(row["payment_method_id"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
