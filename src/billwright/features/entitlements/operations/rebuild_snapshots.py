"""What does an account's snapshot say after one of its inputs has changed?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.entitlements.rules.decide import given_by
from billwright.features.entitlements.sql.reads import restrictions_of, sources_of
from billwright.features.entitlements.sql.writes import upsert_snapshots
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def rebuild_snapshots(tx: Tx, account_ids: Sequence[UUID]) -> None:
    """Compute the snapshots of these accounts from their sources and what restricts them, and store
    them in one statement.
    """
    sources = await sources_of(tx, account_ids)
    restrictions = await restrictions_of(tx, account_ids)
    versions = await plan_versions(
        tx, [source.plan_version_id for part in sources.values() for source in part]
    )
    await upsert_snapshots(
        tx,
        {
            account_id: to_json(
                {
                    str(source.subscription_id): given_by(
                        source,
                        versions[source.plan_version_id],
                        restrictions=restrictions.get(account_id, ()),
                    )
                    for source in sources.get(account_id, ())
                }
            )
            for account_id in account_ids
        },
    )
