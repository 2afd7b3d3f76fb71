"""How does an override end before its time?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.entitlements.events import OverrideRemoved
from billwright.features.entitlements.model import Override
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.reads_overrides import override_by_id
from billwright.features.entitlements.sql.writes_overrides import end_overrides
from billwright.runtime.db.tx import Tx


async def remove_override(tx: Tx, override_id: UUID) -> Override:
    """End an override now, so that plans say again what there is; one that was to begin later never
    does. Where it has ended already, nothing changes.

    Refuses: `entitlement_override_unknown`.
    """
    await lock_account(tx, (await override_by_id(tx, override_id)).account_id)
    override = await override_by_id(tx, override_id)
    tx.audit(
        "entitlement_override.remove",
        subject_type="entitlement_override",
        subject_id=override.id,
    )
    ends_at = max(tx.now, override.effective_at)
    if override.ends_at is not None and override.ends_at <= ends_at:
        return override
    removed = replace(override, ends_at=ends_at, removed_at=tx.now)
    await end_overrides(tx, [removed])
    await rebuild_snapshots(tx, [removed.account_id])
    tx.publish(
        OverrideRemoved(
            subject_id=removed.id,
            account_id=removed.account_id,
            subscription_id=removed.subscription_id,
            feature=removed.feature,
        )
    )
    return removed
