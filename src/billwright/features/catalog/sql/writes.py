"""How does the catalog change?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.catalog.model import Plan, PlanFeature, PlanStatus, PlanVersion
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def lock_plan(tx: Tx, plan_code: str) -> None:
    """Hold a plan until the commit, so that its changes and versions follow each other."""
    await tx.execute(
        "select from plan where tenant_id = $1 and code = $2 for no key update",
        tx.tenant_id,
        plan_code,
    )


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


async def describe_plan(tx: Tx, plan: Plan) -> None:
    """Store a plan's name, description and metadata."""
    await tx.execute(
        """update plan set name = $3, description = $4, metadata = $5
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        plan.id,
        plan.name,
        plan.description,
        to_json(plan.metadata),
    )


async def set_plan_status(tx: Tx, *, plan_id: UUID, status: PlanStatus) -> None:
    """Store whether a plan is sold."""
    await tx.execute(
        "update plan set status = $3 where tenant_id = $1 and id = $2",
        tx.tenant_id,
        plan_id,
        status.value,
    )


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
                "tax_inclusive": version.tax_inclusive,
                "alignment": version.terms.alignment,
                "calendar_day": version.terms.calendar_day,
                "trial_days": version.terms.trial_days,
                "trial_end_behavior": version.terms.trial_end_behavior,
                "notice_days": version.terms.notice_days,
                "commitment_days": version.terms.commitment_days,
                "ends_at_period_end": version.terms.ends_at_period_end,
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
                "kind": component.kind,
                "timing": component.timing,
                "unit_name": component.unit_name,
                "optional": component.optional,
                "free_units": component.free_units,
                "meter": component.meter,
            }
            for position, component in enumerate(version.components, start=1)
        ],
    )
    await tx.insert(
        "plan_price",
        [
            {
                "plan_component_id": component.id,
                "currency": currency,
                "pricing": pricing,
                "minimum_minor": component.minimums.get(currency),
            }
            for component in version.components
            for currency, pricing in component.prices.items()
        ],
    )


async def insert_features(tx: Tx, features: Sequence[PlanFeature]) -> None:
    """Store new features; one whose code is taken by then is left as it is."""
    await tx.insert(
        "feature",
        [
            {
                "id": new_id(),
                "code": feature.code,
                "name": feature.name,
                "kind": feature.kind,
                "created_at": tx.now,
            }
            for feature in features
        ],
        on_conflict="on conflict do nothing",
    )


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
                "name": feature.name,
                "value": feature.value,
            }
            for feature in features
        ],
    )


async def rename_feature(tx: Tx, *, feature_id: UUID, name: str) -> None:
    """Store what a feature is called from now on."""
    await tx.execute(
        "update feature set name = $3 where tenant_id = $1 and id = $2",
        tx.tenant_id,
        feature_id,
        name,
    )
