"""How does the catalog change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.catalog.model import Feature, Plan, PlanStatus, PlanVersion
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
    if inserted == 1:
        await _insert_metadata(tx, plan)
    return inserted == 1


async def describe_plan(tx: Tx, plan: Plan) -> None:
    """Store a plan's name, description and metadata."""
    await tx.execute(
        """update plan set name = $3, description = $4, metadata = $5, revision = $6
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        plan.id,
        plan.name,
        plan.description,
        to_json(plan.metadata),
        plan.revision,
    )
    await tx.execute(
        "delete from plan_metadata where tenant_id = $1 and plan_id = $2", tx.tenant_id, plan.id
    )
    await _insert_metadata(tx, plan)


async def _insert_metadata(tx: Tx, plan: Plan) -> None:
    """Let a plan be found by what its metadata say."""
    await tx.insert(
        "plan_metadata",
        [{"key": key, "value": value} for key, value in plan.metadata.items()],
        shared={"plan_id": plan.id},
    )


async def count_revision(tx: Tx, plan_id: UUID) -> None:
    """Note that a plan is another one than before, such as by a new version."""
    await tx.execute(
        "update plan set revision = revision + 1 where tenant_id = $1 and id = $2",
        tx.tenant_id,
        plan_id,
    )


async def set_plan_status(tx: Tx, *, plan_id: UUID, status: PlanStatus) -> None:
    """Store whether a plan is sold."""
    await tx.execute(
        """update plan set status = $3, revision = revision + 1
           where tenant_id = $1 and id = $2""",
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


async def insert_features(tx: Tx, features: Sequence[Feature]) -> int:
    """Store new features; one whose code is taken is left as it is. Returns how many are new."""
    return await tx.insert(
        "feature",
        [
            {
                **_changeable(feature),
                "id": feature.id,
                "code": feature.code,
                "kind": feature.kind,
                "created_at": feature.created_at,
            }
            for feature in features
        ],
        on_conflict="on conflict do nothing",
    )


async def insert_plan_features(
    tx: Tx, version: PlanVersion, *, feature_ids: Mapping[str, UUID]
) -> None:
    """Store what a version gives of each feature."""
    components = {component.code: component.id for component in version.components}
    await tx.insert(
        "plan_feature",
        [
            {
                "id": new_id(),
                "plan_version_id": version.id,
                "feature_id": feature_ids[feature.code],
                "component_id": None if feature.add_on is None else components[feature.add_on],
                "name": feature.name,
                "value": feature.value,
                "terms": feature.terms,
            }
            for feature in version.features
        ],
    )


async def lock_feature(tx: Tx, feature_code: str) -> None:
    """Hold a feature until the commit, so that its changes follow each other."""
    await tx.execute(
        "select from feature where tenant_id = $1 and code = $2 for no key update",
        tx.tenant_id,
        feature_code,
    )


async def update_feature_row(tx: Tx, feature: Feature) -> None:
    """Store what a change has made of a locked feature."""
    changeable = _changeable(feature)
    columns = ", ".join(changeable)
    await tx.execute(
        f"""update feature set ({columns}) = (
                select {columns} from json_populate_record(null::feature, $3::json))
            where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        feature.id,
        to_json(changeable),
    )


def _changeable(feature: Feature) -> dict[str, object]:
    return {
        "name": feature.name,
        "meter": feature.meter,
        "combination": feature.combination,
        "on_change": feature.on_change,
        "options": feature.options,
        "default_definition": feature.default,
        "version": feature.version,
        "updated_at": feature.updated_at,
    }
