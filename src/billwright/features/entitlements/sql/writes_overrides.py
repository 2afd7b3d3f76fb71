"""How do overrides change?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from billwright.features.entitlements.model import Override
from billwright.runtime.db.tx import Tx


async def insert_override(tx: Tx, override: Override, *, feature_id: UUID) -> bool:
    """Store a new override; false when the account has no such subscription."""
    try:
        async with tx.savepoint():
            await tx.insert(
                "entitlement_override",
                [
                    {
                        "id": override.id,
                        "account_id": override.account_id,
                        "subscription_id": override.subscription_id,
                        "feature_id": feature_id,
                        "definition": override.definition,
                        "reason": override.reason,
                        "effective_at": override.effective_at,
                        "expires_at": override.expires_at,
                        "ends_at": override.ends_at,
                        "created_at": override.created_at,
                    }
                ],
            )
    except asyncpg.ForeignKeyViolationError:
        return False
    return True


async def end_overrides(tx: Tx, ended: Sequence[Override]) -> None:
    """Store when overrides end, and by what."""
    await tx.execute(
        """update entitlement_override o
           set ends_at = e.ends_at, superseded_by = e.superseded_by, removed_at = e.removed_at
           from unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::timestamptz[])
               as e (id, ends_at, superseded_by, removed_at)
           where o.tenant_id = $1 and o.id = e.id""",
        tx.tenant_id,
        [one.id for one in ended],
        [one.ends_at for one in ended],
        [one.superseded_by for one in ended],
        [one.removed_at for one in ended],
    )
