"""How does an account, or one subscription of it, come to have something else than its plans say?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.errors import feature_reference_unknown
from billwright.features.catalog.model import Feature, FeatureDefinition
from billwright.features.catalog.rules.definition import check_definition
from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.entitlements.errors import (
    override_begins_in_past,
    override_ends_before_begin,
    subscription_not_of_account,
)
from billwright.features.entitlements.events import OverrideCreated, OverrideSuperseded
from billwright.features.entitlements.model import Override
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.rules.superseding import superseded_by
from billwright.features.entitlements.sql.reads_overrides import overrides_of
from billwright.features.entitlements.sql.writes_overrides import end_overrides, insert_override
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOverride:
    """What an account or, with a `subscription_id`, that subscription has of a feature, from
    `effective_at` on, by default from now, and up to `expires_at`, by default for good.
    """

    account_id: UUID
    feature_code: str
    definition: FeatureDefinition
    reason: str
    subscription_id: UUID | None = None
    effective_at: datetime | None = None
    expires_at: datetime | None = None


async def create_override(tx: Tx, command: CreateOverride) -> Override:
    """Override what plans say of a feature. An override that stands at the same place ends when this one
    begins, and does not come back when this one ends.

    Refuses: `account_unknown`, `feature_unknown_here`, `subscription_not_of_account`,
    `entitlement_override_begins_in_past`, `entitlement_override_ends_before_begin`, and what
    `check_definition` refuses.
    """
    await lock_account(tx, command.account_id)
    feature = await _feature(tx, command)
    check_definition(command.definition, feature, pointer="/definition")
    override = _new_override(tx, command, feature=feature)
    if not await insert_override(tx, override, feature_id=feature.id):
        raise subscription_not_of_account(
            pointer="/subscription_id",
            account_id=command.account_id,
            subscription_id=command.subscription_id,
        )
    await _supersede(tx, override)
    await rebuild_snapshots(tx, [command.account_id])
    tx.publish(
        OverrideCreated(
            subject_id=override.id,
            account_id=override.account_id,
            subscription_id=override.subscription_id,
            feature=override.feature,
            effective_at=override.effective_at,
            expires_at=override.expires_at,
        )
    )
    tx.audit(
        "entitlement_override.create",
        subject_type="entitlement_override",
        subject_id=override.id,
        details=command,
    )
    return override


async def _feature(tx: Tx, command: CreateOverride) -> Feature:
    known = await features_by_code(tx, [command.feature_code])
    if command.feature_code not in known:
        raise feature_reference_unknown(pointer="/feature", feature_code=command.feature_code)
    return known[command.feature_code]


def _new_override(tx: Tx, command: CreateOverride, *, feature: Feature) -> Override:
    effective_at = command.effective_at or tx.now
    if effective_at < tx.now:
        raise override_begins_in_past(pointer="/effective_at", now=tx.now.isoformat())
    if command.expires_at is not None and command.expires_at <= effective_at:
        raise override_ends_before_begin(
            pointer="/expires_at", effective_at=effective_at.isoformat()
        )
    return Override(
        id=new_id(),
        account_id=command.account_id,
        subscription_id=command.subscription_id,
        feature=feature.code,
        kind=feature.kind,
        definition=command.definition,
        reason=command.reason,
        effective_at=effective_at,
        expires_at=command.expires_at,
        ends_at=command.expires_at,
        superseded_by=None,
        removed_at=None,
        created_at=tx.now,
    )


async def _supersede(tx: Tx, override: Override) -> None:
    of_account = await overrides_of(tx, [override.account_id], after=tx.now)
    standing = [
        one
        for one in of_account.get(override.account_id, ())
        if one.id != override.id
        and (one.feature, one.subscription_id) == (override.feature, override.subscription_id)
    ]
    ended = superseded_by(override, standing)
    if not ended:
        return
    await end_overrides(tx, ended)
    for one in ended:
        tx.publish(
            OverrideSuperseded(
                subject_id=one.id,
                account_id=one.account_id,
                subscription_id=one.subscription_id,
                feature=one.feature,
                superseded_by=override.id,
                ends_at=one.ends_at or override.effective_at,
            )
        )
