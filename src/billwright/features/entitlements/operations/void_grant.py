"""How is a grant taken back?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.entitlements.errors import grant_over
from billwright.features.entitlements.events import GrantVoided
from billwright.features.entitlements.model import Allotment
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.operations.settle_pools import settle_held
from billwright.features.entitlements.rules.counting import NOTHING_COUNTED
from billwright.features.entitlements.rules.granting import voided
from billwright.features.entitlements.rules.pool import is_alive
from billwright.features.entitlements.rules.pool_settling import balances_now
from billwright.features.entitlements.sql.reads_grants import grant_by_id
from billwright.features.entitlements.sql.writes_pools import lock_pools, store_holdings
from billwright.runtime.db.tx import Tx

_NOTHING = Decimal(0)


async def void_grant(tx: Tx, grant_id: UUID) -> Allotment:
    """Take away what is left of a grant, from now on; what was used of it stays used.

    Refuses: `entitlement_grant_unknown`, `entitlement_grant_over`.
    """
    account_id = (await grant_by_id(tx, grant_id)).allotment.account_id
    await lock_account(tx, account_id)
    kept = await grant_by_id(tx, grant_id)
    if not is_alive(kept.allotment, tx.now):
        raise grant_over(grant_id=grant_id)
    (settled,) = await settle_held(tx, await lock_pools(tx, [kept.allotment.pool_id]), now=tx.now)
    holding = settled.holding
    left = balances_now(holding.pool, holding.allotments, used_of_segment=settled.used_of_segment)
    gone = voided(
        next(one for one in holding.allotments if one.id == grant_id),
        left=left[grant_id],
        now=tx.now,
    )
    others = tuple(one for one in holding.allotments if one.id != grant_id)
    after = replace(holding, allotments=(*others, gone), counted=NOTHING_COUNTED)
    await store_holdings(tx, before=[holding], after=[after])
    await rebuild_snapshots(tx, [account_id])
    tx.publish(
        GrantVoided(
            subject_id=grant_id,
            account_id=account_id,
            subscription_id=kept.subscription_id,
            feature=kept.feature,
            balance=max(left[grant_id], _NOTHING),
        )
    )
    tx.audit("entitlement_grant.void", subject_type="entitlement_grant", subject_id=grant_id)
    return gone
