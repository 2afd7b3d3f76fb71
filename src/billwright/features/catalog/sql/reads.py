"""What does the database know of plans?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from billwright.features.catalog.errors import plan_unknown
from billwright.features.catalog.model import (
    FeatureKind,
    Plan,
    PlanComponent,
    PlanComponentId,
    PlanFeature,
    PlanId,
    PlanStatus,
    PlanVersion,
    PlanVersionId,
    Timing,
)
from billwright.features.pricing.rules.pricing import Pricing, pricing_of
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_PLAN = """select p.id, p.code, p.name, p.description, p.status, p.metadata, p.created_at,
    (select v.id from plan_version v where v.tenant_id = p.tenant_id and v.plan_id = p.id
     order by v.number desc limit 1) as version_id
    from plan p where p.tenant_id = $1"""

# A version never changes, so that a process reads it once. The bound keeps a process that serves
# very many tenants from growing; what is thrown away is read again.
_VERSIONS: dict[tuple[UUID, UUID], PlanVersion] = {}
_VERSIONS_KEPT = 20_000


async def plan_by_code(tx: Tx, plan_code: str) -> Plan:
    """A plan with its newest version. Refuses: `plan_unknown`."""
    row = await tx.fetch_row(f"{_PLAN} and p.code = $2", tx.tenant_id, plan_code)
    if row is None:
        raise plan_unknown(plan_code=plan_code)
    versions = await plan_versions(tx, [row["version_id"]])
    return _plan_from_row(row, versions)


async def list_plans(tx: Tx, *, before: UUID | None, limit: int) -> list[Plan]:
    """Plans, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"{_PLAN} and ($2::uuid is null or p.id < $2) order by p.id desc limit $3",
        tx.tenant_id,
        before,
        limit,
    )
    versions = await plan_versions(tx, [row["version_id"] for row in rows])
    return [_plan_from_row(row, versions) for row in rows]


async def plan_versions(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, PlanVersion]:
    """Versions by id; those that this process has seen are not read again."""
    keys = {version_id: (tx.tenant_id, version_id) for version_id in version_ids}
    missing = [version_id for version_id, key in keys.items() if key not in _VERSIONS]
    if missing:
        if len(_VERSIONS) > _VERSIONS_KEPT:
            _VERSIONS.clear()
            missing = list(keys)
        for version_id, version in (await _read_versions(tx, missing)).items():
            _VERSIONS[tx.tenant_id, version_id] = version
    return {version_id: _VERSIONS[key] for version_id, key in keys.items()}


async def feature_kinds(tx: Tx, codes: Sequence[str]) -> dict[str, tuple[UUID, FeatureKind]]:
    """Ids and kinds of the features that exist under these codes."""
    rows = await tx.fetch(
        "select id, code, kind from feature where tenant_id = $1 and code = any($2::text[])",
        tx.tenant_id,
        codes,
    )
    return {row["code"]: (row["id"], FeatureKind(row["kind"])) for row in rows}


async def _read_versions(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, PlanVersion]:
    rows = await tx.fetch(
        """select v.id, v.plan_id, p.code as plan_code, v.number, v.name, v.interval_unit,
               v.interval_count, v.tax_category, v.created_at
           from plan_version v join plan p on p.tenant_id = v.tenant_id and p.id = v.plan_id
           where v.tenant_id = $1 and v.id = any($2::uuid[])""",
        tx.tenant_id,
        version_ids,
    )
    components = await _read_components(tx, version_ids)
    features = await _read_features(tx, version_ids)
    return {
        row["id"]: PlanVersion(
            id=PlanVersionId(row["id"]),
            plan_id=PlanId(row["plan_id"]),
            plan_code=row["plan_code"],
            number=row["number"],
            name=row["name"],
            interval=Interval(IntervalUnit(row["interval_unit"]), row["interval_count"]),
            tax_category=row["tax_category"],
            components=tuple(components[row["id"]]),
            features=tuple(features[row["id"]]),
            created_at=row["created_at"],
        )
        for row in rows
    }


async def _read_components(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, list[PlanComponent]]:
    rows = await tx.fetch(
        """select c.id, c.plan_version_id, c.code, c.name, c.timing, c.unit_name,
               r.currency, r.pricing
           from plan_component c
           join plan_price r on r.tenant_id = c.tenant_id and r.plan_component_id = c.id
           where c.tenant_id = $1 and c.plan_version_id = any($2::uuid[])
           order by c.plan_version_id, c.position, r.currency""",
        tx.tenant_id,
        version_ids,
    )
    prices: dict[UUID, dict[str, Pricing]] = defaultdict(dict)
    components: dict[UUID, list[PlanComponent]] = defaultdict(list)
    for row in rows:
        if row["id"] not in prices:
            components[row["plan_version_id"]].append(
                PlanComponent(
                    id=PlanComponentId(row["id"]),
                    code=row["code"],
                    name=row["name"],
                    timing=Timing(row["timing"]),
                    unit_name=row["unit_name"],
                    prices=prices[row["id"]],
                )
            )
        prices[row["id"]][row["currency"]] = pricing_of(from_json(row["pricing"]))
    return components


async def _read_features(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, list[PlanFeature]]:
    rows = await tx.fetch(
        """select g.plan_version_id, f.code, f.name, f.kind, g.value
           from plan_feature g join feature f on f.tenant_id = g.tenant_id and f.id = g.feature_id
           where g.tenant_id = $1 and g.plan_version_id = any($2::uuid[]) order by f.code""",
        tx.tenant_id,
        version_ids,
    )
    features: dict[UUID, list[PlanFeature]] = defaultdict(list)
    for row in rows:
        features[row["plan_version_id"]].append(
            PlanFeature(
                row["code"],
                row["name"],
                FeatureKind(row["kind"]),
                None if row["value"] is None else from_json(row["value"]),
            )
        )
    return features


def _plan_from_row(row: asyncpg.Record, versions: dict[UUID, PlanVersion]) -> Plan:
    return Plan(
        id=PlanId(row["id"]),
        code=row["code"],
        name=row["name"],
        description=row["description"],
        status=PlanStatus(row["status"]),
        metadata=from_json(row["metadata"]),
        created_at=row["created_at"],
        version=versions[row["version_id"]],
    )
