"""How does a feature get another name?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from billwright.features.catalog.events import FeatureUpdated
from billwright.features.catalog.model import Feature
from billwright.features.catalog.sql.reads_features import feature_by_code
from billwright.features.catalog.sql.writes import rename_feature
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFeature:
    """What the feature is to be called."""

    feature_code: str
    name: str


async def update_feature(tx: Tx, command: UpdateFeature) -> Feature:
    """Call a feature otherwise; what versions of plans give keeps its name.

    Refuses: `feature_unknown`.
    """
    before = await feature_by_code(tx, command.feature_code)
    feature = replace(before, name=command.name)
    if feature != before:
        await rename_feature(tx, feature_id=feature.id, name=feature.name)
        tx.publish(
            FeatureUpdated(
                subject_id=feature.id, account_id=None, code=feature.code, name=feature.name
            )
        )
    tx.audit("feature.update", subject_type="feature", subject_id=feature.id, details=command)
    return feature
