"""What does the database know of features?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.catalog.errors import feature_unknown
from billwright.features.catalog.model import Feature, FeatureId, FeatureKind
from billwright.runtime.db.tx import Tx

_FEATURE = "select id, code, name, kind, created_at from feature where tenant_id = $1"


async def feature_by_code(tx: Tx, feature_code: str) -> Feature:
    """A feature. Refuses: `feature_unknown`."""
    row = await tx.fetch_row(f"{_FEATURE} and code = $2", tx.tenant_id, feature_code)
    if row is None:
        raise feature_unknown(feature_code=feature_code)
    return _feature_from_row(row)


async def list_features(tx: Tx, *, before: UUID | None, limit: int) -> list[Feature]:
    """Features, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"{_FEATURE} and ($2::uuid is null or id < $2) order by id desc limit $3",
        tx.tenant_id,
        before,
        limit,
    )
    return [_feature_from_row(row) for row in rows]


def _feature_from_row(row: asyncpg.Record) -> Feature:
    return Feature(
        id=FeatureId(row["id"]),
        code=row["code"],
        name=row["name"],
        kind=FeatureKind(row["kind"]),
        created_at=row["created_at"],
    )
