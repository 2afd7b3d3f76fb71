"""How does a feature come to be before a plan gives it?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.catalog.errors import feature_code_taken
from billwright.features.catalog.events import FeatureCreated
from billwright.features.catalog.model import (
    AllowanceChange,
    Combination,
    Feature,
    FeatureId,
    FeatureKind,
)
from billwright.features.catalog.rules.definition import check_members
from billwright.features.catalog.sql.writes import insert_features
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFeature:
    """What all plans share of a feature, as `Feature` has it."""

    code: str
    name: str
    kind: FeatureKind
    meter: str | None = None
    combination: Combination = Combination.ADDITIVE
    on_change: AllowanceChange = AllowanceChange.PRORATE_GRANT
    options: tuple[str, ...] | None = None


async def create_feature(tx: Tx, command: CreateFeature) -> Feature:
    """Create a feature; nobody has it until a plan, an override or its default gives it.

    Refuses: `feature_member_unsuitable`, `feature_code_taken`.
    """
    feature = Feature(
        id=FeatureId(new_id()),
        code=command.code,
        name=command.name,
        kind=command.kind,
        created_at=tx.now,
        updated_at=tx.now,
        meter=command.meter,
        combination=command.combination,
        on_change=command.on_change,
        options=command.options,
    )
    check_members(feature)
    if not await insert_features(tx, [feature]):
        raise feature_code_taken(feature_code=feature.code)
    tx.publish(
        FeatureCreated(
            subject_id=feature.id,
            account_id=None,
            code=feature.code,
            name=feature.name,
            kind=feature.kind.value,
        )
    )
    tx.audit("feature.create", subject_type="feature", subject_id=feature.id, details=command)
    return feature
