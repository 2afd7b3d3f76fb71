"""How does what all plans share of a feature change?"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypedDict

from billwright.features.catalog.errors import feature_stale
from billwright.features.catalog.events import FeatureUpdated
from billwright.features.catalog.model import (
    AllowanceChange,
    Combination,
    Feature,
    FeatureDefinition,
)
from billwright.features.catalog.rules.definition import check_definition, check_members
from billwright.features.catalog.sql.reads_features import feature_by_code
from billwright.features.catalog.sql.writes import lock_feature, update_feature_row
from billwright.runtime.db.tx import Tx


class FeatureChanges(TypedDict, total=False):
    """What may change, as `Feature` has it; what is not named stays."""

    name: str
    meter: str | None
    combination: Combination
    on_change: AllowanceChange
    options: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFeature:
    """What is to be another; `options` are replaced as a whole."""

    feature_code: str
    changes: FeatureChanges
    expected_version: int | None = None


async def update_feature(tx: Tx, command: UpdateFeature) -> Feature:
    """Change a feature. What versions of plans give keeps its name and its value, also one that is not
    among the options any more. How it is counted changes for everybody at once.

    Refuses: `feature_unknown`, `feature_stale`, `feature_member_unsuitable`, and `feature_value_invalid`
    where the default would not be among the options.
    """
    before = await _locked(tx, command.feature_code, expected_version=command.expected_version)
    after = replace(before, **command.changes)
    check_members(after)
    if after.default is not None:
        check_definition(after.default, after, pointer="/default")
    feature = await _store(tx, after, before=before)
    tx.audit("feature.update", subject_type="feature", subject_id=feature.id, details=command)
    return feature


async def set_feature_default(
    tx: Tx,
    feature_code: str,
    *,
    default: FeatureDefinition | None,
    expected_version: int | None = None,
) -> Feature:
    """Say what every account has of a feature that nothing else gives it, from this commit on; none is
    nothing.

    Refuses: `feature_unknown`, `feature_stale`, and what `check_definition` refuses.
    """
    before = await _locked(tx, feature_code, expected_version=expected_version)
    if default is not None:
        check_definition(default, before)
    feature = await _store(tx, replace(before, default=default), before=before)
    tx.audit(
        "feature.set_default",
        subject_type="feature",
        subject_id=feature.id,
        details={"default": default},
    )
    return feature


async def _locked(tx: Tx, feature_code: str, *, expected_version: int | None) -> Feature:
    await lock_feature(tx, feature_code)
    feature = await feature_by_code(tx, feature_code)
    if expected_version not in {None, feature.version}:
        raise feature_stale(
            feature_code=feature_code, expected=expected_version, actual=feature.version
        )
    return feature


async def _store(tx: Tx, after: Feature, *, before: Feature) -> Feature:
    changed = sorted(
        field.name
        for field in fields(Feature)
        if getattr(after, field.name) != getattr(before, field.name)
    )
    if not changed:
        return before
    feature = replace(after, version=before.version + 1, updated_at=tx.now)
    await update_feature_row(tx, feature)
    tx.publish(
        FeatureUpdated(
            subject_id=feature.id,
            account_id=None,
            code=feature.code,
            name=feature.name,
            changed=tuple(changed),
        )
    )
    return feature
