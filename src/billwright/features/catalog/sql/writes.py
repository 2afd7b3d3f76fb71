"""How does the catalog change?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.catalog.model import Plan, PlanFeature, PlanVersion
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def insert_plan(tx: Tx, plan: Plan) -> bool:
    """Store a new plan, without its version; false when its code is taken."""
    inserted = await tx.insert(
        "plan",
        [
            {
                "id": plan.id,
                "code": plan.code,
                "name": plan.name,
                "description": plan.description,
                "status": plan.status,
                "metadata": plan.metadata,
                "created_at": plan.created_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def insert_version(tx: Tx, version: PlanVersion) -> None:
    """Store a version with its components and prices."""
    await tx.insert(
        "plan_version",
        [
            {
                "id": version.id,
                "plan_id": version.plan_id,
                "number": version.number,
                "name": version.name,
                "interval_unit": version.interval.unit,
                "interval_count": version.interval.count,
                "tax_category": version.tax_category,
                "created_at": version.created_at,
            }
        ],
    )
    await tx.insert(
        "plan_component",
        [
            {
                "id": component.id,
                "plan_version_id": version.id,
                "position": position,
                "code": component.code,
                "name": component.name,
                "kind": "recurring",
                "timing": component.timing,
                "unit_name": component.unit_name,
            }
            for position, component in enumerate(version.components, start=1)
        ],
    )
    await tx.insert(
        "plan_price",
        [
            {"plan_component_id": component.id, "currency": currency, "pricing": pricing}
            for component in version.components
            for currency, pricing in component.prices.items()
        ],
    )


async def insert_features(tx: Tx, features: Sequence[PlanFeature]) -> dict[str, UUID]:
    """Store new features; returns their ids by code."""
    ids = {feature.code: new_id() for feature in features}
    await tx.insert(
        "feature",
        [
            {
                "id": ids[feature.code],
                "code": feature.code,
                "name": feature.name,
                "kind": feature.kind,
                "created_at": tx.now,
            }
            for feature in features
        ],
    )
    return ids


async def insert_plan_features(
    tx: Tx, *, version_id: UUID, features: Sequence[PlanFeature], feature_ids: dict[str, UUID]
) -> None:
    """Store what a version gives of each feature."""
    await tx.insert(
        "plan_feature",
        [
            {
                "plan_version_id": version_id,
                "feature_id": feature_ids[feature.code],
                "value": feature.value,
            }
            for feature in features
        ],
    )
