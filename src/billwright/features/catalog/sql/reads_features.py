"""What does the database know of features?"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import asyncpg
import msgspec

from billwright.features.catalog.errors import feature_unknown
from billwright.features.catalog.model import (
    AllowanceChange,
    Combination,
    Feature,
    FeatureDefinition,
    FeatureId,
    FeatureKind,
    FeatureTerms,
)
from billwright.runtime.db.tx import Tx

_FEATURE = """select id, code, name, kind, meter, combination, on_change, options, default_definition,
    version, created_at, updated_at from feature where tenant_id = $1"""

definition_from_json = msgspec.json.Decoder(FeatureDefinition).decode
"""A definition as a column of type `jsonb` holds it."""

terms_from_json = msgspec.json.Decoder(FeatureTerms).decode
"""Terms as a column of type `jsonb` holds them; what is not there is as by default."""


async def feature_by_code(tx: Tx, feature_code: str) -> Feature:
    """A feature. Refuses: `feature_unknown`."""
    row = await tx.fetch_row(f"{_FEATURE} and code = $2", tx.tenant_id, feature_code)
    if row is None:
        raise feature_unknown(feature_code=feature_code)
    return _feature_from_row(row)


async def features_by_code(tx: Tx, codes: Collection[str]) -> dict[str, Feature]:
    """The features that exist under these codes."""
    rows = await tx.fetch(f"{_FEATURE} and code = any($2::text[])", tx.tenant_id, list(codes))
    return {row["code"]: _feature_from_row(row) for row in rows}


async def list_features(
    tx: Tx, *, before: UUID | None, limit: int, kind: FeatureKind | None = None
) -> list[Feature]:
    """Features, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""{_FEATURE} and ($2::uuid is null or id < $2) and ($4::text is null or kind = $4)
            order by id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        kind,
    )
    return [_feature_from_row(row) for row in rows]


async def features_of_access(tx: Tx, codes: Collection[str]) -> dict[str, Feature]:
    """The features under these codes, and every one that accounts have without anything that gives it."""
    rows = await tx.fetch(
        f"{_FEATURE} and (code = any($2::text[]) or default_definition is not null)",
        tx.tenant_id,
        list(codes),
    )
    return {row["code"]: _feature_from_row(row) for row in rows}


def _feature_from_row(row: asyncpg.Record) -> Feature:
    default = row["default_definition"]
    return Feature(
        id=FeatureId(row["id"]),
        code=row["code"],
        name=row["name"],
        kind=FeatureKind(row["kind"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        meter=row["meter"],
        combination=Combination(row["combination"]),
        on_change=AllowanceChange(row["on_change"]),
        options=None if row["options"] is None else tuple(row["options"]),
        default=None if default is None else definition_from_json(default),
        version=row["version"],
    )
