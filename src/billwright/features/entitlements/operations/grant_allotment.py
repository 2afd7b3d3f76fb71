"""How is an account given more of a metered feature?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.errors import feature_reference_unknown
from billwright.features.catalog.model import (
    Combination,
    Feature,
    FeatureKind,
    FeatureTerms,
    Reset,
    ResetKind,
)
from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.entitlements.errors import (
    grant_feature_not_metered,
    grant_is_for_account,
    grant_needs_subscription,
    subscription_not_of_account,
)
from billwright.features.entitlements.events import EntitlementGranted
from billwright.features.entitlements.model import Allotment, PoolDefinition
from billwright.features.entitlements.operations.adjust_pools import new_pool
from billwright.features.entitlements.operations.count_pools import meters_of
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.operations.settle_pools import settle_held
from billwright.features.entitlements.rules.counting import NOTHING_COUNTED
from billwright.features.entitlements.rules.granting import Grant, granted, refuse_unfit_grant
from billwright.features.entitlements.rules.pool import Holding, PoolKey, key_of
from billwright.features.entitlements.sql.reads import sources_of
from billwright.features.entitlements.sql.writes_pools import lock_pools_of, store_holdings
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx

# What was granted is used up, and nothing else ever fills it again.
_USED_UP = FeatureTerms(reset=Reset(ResetKind.NEVER))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAllotment:
    """What is granted of which feature, and to whom: a `subscription_id` belongs where each subscription
    has its own of the feature.
    """

    account_id: UUID
    feature_code: str
    grant: Grant
    subscription_id: UUID | None = None


async def grant_allotment(tx: Tx, command: GrantAllotment) -> Allotment:
    """Grant something to be used up beside what plans give, or without any of them giving it.

    Refuses: `account_unknown`, `feature_unknown_here`, `entitlement_grant_feature_not_metered`,
    `entitlement_grant_needs_subscription`, `entitlement_grant_is_for_account`,
    `subscription_not_of_account`, and what `refuse_unfit_grant` refuses.
    """
    account = await lock_account(tx, command.account_id)
    refuse_unfit_grant(command.grant, now=tx.now)
    feature = await _feature(tx, command.feature_code)
    # Pools are as they are defined when the snapshot is right.
    await fresh_snapshot(tx, command.account_id)
    pools = {key_of(one.pool.definition): one for one in await lock_pools_of(tx, [account.id])}
    await _refuse_misplaced(
        tx, command, feature=feature, account_pool=pools.get(_key(command, None))
    )
    kept = pools.get(_key(command, command.subscription_id))
    holding = await (
        _held(tx, kept) if kept else _new(tx, command, feature=feature, zone=account.zone)
    )
    made = granted(command.grant, holding.pool, key=new_id(), now=tx.now)
    after = replace(holding, allotments=(*holding.allotments, made), counted=NOTHING_COUNTED)
    await store_holdings(tx, before=[holding] if kept else [], after=[after])
    await rebuild_snapshots(tx, [account.id])
    _record(tx, command, made=made)
    return made


async def _feature(tx: Tx, feature_code: str) -> Feature:
    known = await features_by_code(tx, [feature_code])
    if feature_code not in known:
        raise feature_reference_unknown(pointer="/feature", feature_code=feature_code)
    feature = known[feature_code]
    if feature.kind is not FeatureKind.METERED:
        raise grant_feature_not_metered(pointer="/feature", feature_code=feature_code)
    return feature


async def _refuse_misplaced(
    tx: Tx, command: GrantAllotment, *, feature: Feature, account_pool: Holding | None
) -> None:
    if command.subscription_id is None:
        is_open = account_pool is not None and account_pool.pool.closed_at is None
        if feature.combination is Combination.PARALLEL and not is_open:
            raise grant_needs_subscription(
                pointer="/subscription_id", feature_code=command.feature_code
            )
        return
    if feature.combination is Combination.ADDITIVE:
        raise grant_is_for_account(pointer="/subscription_id", feature_code=command.feature_code)
    sources = (await sources_of(tx, [command.account_id])).get(command.account_id, ())
    if command.subscription_id not in {one.subscription_id for one in sources}:
        raise subscription_not_of_account(
            pointer="/subscription_id",
            account_id=command.account_id,
            subscription_id=command.subscription_id,
        )


async def _held(tx: Tx, kept: Holding) -> Holding:
    """A pool that there is already, as it stands now, also if it was closed."""
    (settled,) = await settle_held(tx, [kept], now=tx.now)
    pool = settled.holding.pool
    return replace(settled.holding, pool=replace(pool, closed_at=None))


async def _new(tx: Tx, command: GrantAllotment, *, feature: Feature, zone: str) -> Holding:
    meter = feature.meter or feature.code
    definition = PoolDefinition(
        account_id=command.account_id,
        subscription_id=command.subscription_id,
        feature=feature.code,
        meter=meter,
        combination=feature.combination,
        on_change=feature.on_change,
        terms=_USED_UP,
        allowances=(),
        period=None,
        zone=zone,
    )
    return new_pool(tx, definition, meter=(await meters_of(tx, [meter]))[meter])


def _key(command: GrantAllotment, subscription_id: UUID | None) -> PoolKey:
    return PoolKey(command.account_id, command.feature_code, subscription_id)


def _record(tx: Tx, command: GrantAllotment, *, made: Allotment) -> None:
    tx.publish(
        EntitlementGranted(
            subject_id=made.id,
            account_id=made.account_id,
            subscription_id=command.subscription_id,
            feature=command.feature_code,
            amount=command.grant.amount,
            effective_at=made.effective_at,
            expires_at=made.expires_at,
        )
    )
    tx.audit(
        "entitlement_grant.create",
        subject_type="entitlement_grant",
        subject_id=made.id,
        details=command,
    )
