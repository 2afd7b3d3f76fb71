"""What does the database know of plans?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypedDict, Unpack
from uuid import UUID

import asyncpg

from billwright.features.catalog.errors import plan_unknown, plan_version_unknown
from billwright.features.catalog.model import (
    Alignment,
    ComponentKind,
    FeatureKind,
    Plan,
    PlanComponent,
    PlanComponentId,
    PlanFeature,
    PlanId,
    PlanStatus,
    PlanTerms,
    PlanVersion,
    PlanVersionId,
    Timing,
    TrialEndBehavior,
)
from billwright.features.catalog.sql.reads_features import terms_from_json
from billwright.features.pricing.rules.pricing import pricing_of
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_PLAN = """select p.id, p.code, p.name, p.description, p.status, p.metadata, p.created_at,
    p.revision,
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


class PlanFilter(TypedDict, total=False):
    """Which plans are asked for."""

    status: PlanStatus | None
    metadata: dict[str, str] | None


async def list_plans(
    tx: Tx, *, before: UUID | None, limit: int, **asked: Unpack[PlanFilter]
) -> list[Plan]:
    """Plans, newest first, that come after the one named `before` in that order."""
    found = Conditions("p.tenant_id = {}", tx.tenant_id)
    found.add("p.id < {}", before)
    found.add("p.status = {}", asked.get("status"))
    found.add_entries(
        """exists (select from plan_metadata m where m.tenant_id = $1 and m.key = {}
               and m.value = {} and m.plan_id = p.id)""",
        asked.get("metadata"),
    )
    rows = await tx.fetch(
        f"{_PLAN} and {found.sql} order by p.id desc limit {found.parameter(limit)}",
        *found.values,
    )
    versions = await plan_versions(tx, [row["version_id"] for row in rows])
    return [_plan_from_row(row, versions) for row in rows]


async def version_ids_of(tx: Tx, plan_code: str) -> list[UUID]:
    """All versions of a plan; none where there is no such plan."""
    rows = await tx.fetch(
        """select v.id from plan p
           join plan_version v on v.tenant_id = p.tenant_id and v.plan_id = p.id
           where p.tenant_id = $1 and p.code = $2""",
        tx.tenant_id,
        plan_code,
    )
    return [row["id"] for row in rows]


async def plan_version_by_number(tx: Tx, *, plan_code: str, number: int) -> PlanVersion:
    """One version of a plan. Refuses: `plan_version_unknown`."""
    version_id = await tx.fetch_value(
        """select v.id from plan p
           join plan_version v on v.tenant_id = p.tenant_id and v.plan_id = p.id
           where p.tenant_id = $1 and p.code = $2 and v.number = $3""",
        tx.tenant_id,
        plan_code,
        number,
    )
    if version_id is None:
        raise plan_version_unknown(plan_code=plan_code, version_number=number)
    return (await plan_versions(tx, [version_id]))[version_id]


async def list_plan_versions(
    tx: Tx, plan_code: str, *, before: int | None, limit: int
) -> list[PlanVersion]:
    """A plan's versions, newest first, with numbers below `before`. Refuses: `plan_unknown`."""
    plan_id = await tx.fetch_value(
        "select id from plan where tenant_id = $1 and code = $2", tx.tenant_id, plan_code
    )
    if plan_id is None:
        raise plan_unknown(plan_code=plan_code)
    rows = await tx.fetch(
        """select id from plan_version
           where tenant_id = $1 and plan_id = $2 and ($3::int is null or number < $3)
           order by number desc limit $4""",
        tx.tenant_id,
        plan_id,
        before,
        limit,
    )
    versions = await plan_versions(tx, [row["id"] for row in rows])
    return list(versions.values())


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


async def versions_of_components(tx: Tx, component_ids: Sequence[UUID]) -> dict[UUID, PlanVersion]:
    """The versions that these components belong to, by component."""
    rows = await tx.fetch(
        """select id, plan_version_id from plan_component
           where tenant_id = $1 and id = any($2::uuid[])""",
        tx.tenant_id,
        component_ids,
    )
    versions = await plan_versions(tx, [row["plan_version_id"] for row in rows])
    return {row["id"]: versions[row["plan_version_id"]] for row in rows}


async def _read_versions(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, PlanVersion]:
    rows = await tx.fetch(
        """select v.id, v.plan_id, p.code as plan_code, v.number, v.name, v.interval_unit,
               v.interval_count, v.tax_category, v.tax_inclusive, v.alignment, v.calendar_day,
               v.trial_days, v.trial_end_behavior, v.notice_days, v.commitment_days,
               v.ends_at_period_end, v.created_at
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
            tax_inclusive=row["tax_inclusive"],
            terms=_terms_from_row(row),
        )
        for row in rows
    }


def _terms_from_row(row: asyncpg.Record) -> PlanTerms:
    return PlanTerms(
        alignment=Alignment(row["alignment"]),
        calendar_day=row["calendar_day"],
        trial_days=row["trial_days"],
        trial_end_behavior=TrialEndBehavior(row["trial_end_behavior"]),
        notice_days=row["notice_days"],
        commitment_days=row["commitment_days"],
        ends_at_period_end=row["ends_at_period_end"],
    )


async def _read_components(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, list[PlanComponent]]:
    rows = await tx.fetch(
        """select c.id, c.plan_version_id, c.code, c.name, c.kind, c.timing, c.unit_name,
               c.optional, c.free_units, c.meter, r.currency, r.pricing, r.minimum_minor
           from plan_component c
           join plan_price r on r.tenant_id = c.tenant_id and r.plan_component_id = c.id
           where c.tenant_id = $1 and c.plan_version_id = any($2::uuid[])
           order by c.plan_version_id, c.position, r.currency""",
        tx.tenant_id,
        version_ids,
    )
    read: dict[UUID, PlanComponent] = {}
    components: dict[UUID, list[PlanComponent]] = defaultdict(list)
    for row in rows:
        if row["id"] not in read:
            read[row["id"]] = _component_from_row(row)
            components[row["plan_version_id"]].append(read[row["id"]])
        component = read[row["id"]]
        component.prices[row["currency"]] = pricing_of(from_json(row["pricing"]))
        if row["minimum_minor"] is not None:
            component.minimums[row["currency"]] = row["minimum_minor"]
    return components


def _component_from_row(row: asyncpg.Record) -> PlanComponent:
    """A component whose prices and minimums are still to come."""
    return PlanComponent(
        id=PlanComponentId(row["id"]),
        code=row["code"],
        name=row["name"],
        timing=Timing(row["timing"]),
        unit_name=row["unit_name"],
        prices={},
        kind=ComponentKind(row["kind"]),
        optional=row["optional"],
        free_units=row["free_units"],
        minimums={},
        meter=row["meter"],
    )


async def _read_features(tx: Tx, version_ids: Sequence[UUID]) -> dict[UUID, list[PlanFeature]]:
    rows = await tx.fetch(
        """select g.plan_version_id, f.code, g.name, f.kind, g.value, g.terms, c.code as add_on
           from plan_feature g join feature f on f.tenant_id = g.tenant_id and f.id = g.feature_id
           left join plan_component c on c.tenant_id = g.tenant_id and c.id = g.component_id
           where g.tenant_id = $1 and g.plan_version_id = any($2::uuid[])
           order by f.code collate "C", c.code collate "C" nulls first -- as Python sorts them
        """,
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
                terms_from_json(row["terms"]),
                row["add_on"],
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
        revision=row["revision"],
    )
