"""What does the database know of overrides?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.catalog.model import FeatureKind
from billwright.features.catalog.sql.reads_features import definition_from_json
from billwright.features.entitlements.errors import override_unknown
from billwright.features.entitlements.model import Override
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.tx import Tx

_OVERRIDE = """select o.id, o.account_id, o.subscription_id, f.code as feature, f.kind, o.definition,
        o.reason, o.effective_at, o.expires_at, o.ends_at, o.superseded_by, o.removed_at, o.created_at
    from entitlement_override o
    join feature f on f.tenant_id = o.tenant_id and f.id = o.feature_id"""


async def override_by_id(tx: Tx, override_id: UUID) -> Override:
    """One override. Refuses: `override_unknown`."""
    row = await tx.fetch_row(
        f"{_OVERRIDE} where o.tenant_id = $1 and o.id = $2", tx.tenant_id, override_id
    )
    if row is None:
        raise override_unknown(override_id=override_id)
    return _override_from_row(row)


async def overrides_of(
    tx: Tx, account_ids: Sequence[UUID], *, after: datetime
) -> dict[UUID, list[Override]]:
    """Every override of these accounts that is in force at an instant or will be later."""
    rows = await tx.fetch(
        f"""{_OVERRIDE} where o.tenant_id = $1 and o.account_id = any($2::uuid[])
            and (o.ends_at is null or o.ends_at > greatest($3, o.effective_at))""",
        tx.tenant_id,
        account_ids,
        after,
    )
    overrides: dict[UUID, list[Override]] = defaultdict(list)
    for row in rows:
        overrides[row["account_id"]].append(_override_from_row(row))
    return overrides


async def list_overrides(
    tx: Tx,
    account_id: UUID,
    *,
    before: UUID | None,
    limit: int,
    feature: str | None = None,
    subscription_id: UUID | None = None,
    in_force_at: datetime | None = None,
) -> list[Override]:
    """An account's overrides, newest first, that come after the one named `before` in that order."""
    conditions = Conditions("o.tenant_id = {}", tx.tenant_id)
    conditions.add("o.account_id = {}", account_id)
    conditions.add("o.id < {}", before)
    conditions.add("f.code = {}", feature)
    conditions.add("o.subscription_id = {}", subscription_id)
    conditions.add("o.effective_at <= {}", in_force_at)
    conditions.add("(o.ends_at is null or o.ends_at > {})", in_force_at)
    rows = await tx.fetch(
        f"""{_OVERRIDE} where {conditions.sql}
            order by o.id desc limit {conditions.parameter(limit)}""",
        *conditions.values,
    )
    return [_override_from_row(row) for row in rows]


def _override_from_row(row: asyncpg.Record) -> Override:
    return Override(
        id=row["id"],
        account_id=row["account_id"],
        subscription_id=row["subscription_id"],
        feature=row["feature"],
        kind=FeatureKind(row["kind"]),
        definition=definition_from_json(row["definition"]),
        reason=row["reason"],
        effective_at=row["effective_at"],
        expires_at=row["expires_at"],
        ends_at=row["ends_at"],
        superseded_by=row["superseded_by"],
        removed_at=row["removed_at"],
        created_at=row["created_at"],
    )
