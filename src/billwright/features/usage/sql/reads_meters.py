"""What does the database know of meters?"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import asyncpg

from billwright.features.usage.errors import meter_unknown
from billwright.features.usage.model import (
    Aggregation,
    Meter,
    MeterDefinition,
    MeterId,
    MeterStatus,
    MeterVersion,
    WholeUnits,
)
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_DEFINITION = """v.number, v.event_type, v.aggregation, v.property, v.filters, v.group_by, v.rounding,
    v.carries_over"""
_NEWEST = """cross join lateral (
        select * from meter_version n where n.tenant_id = m.tenant_id and n.meter_id = m.id
        order by n.number desc limit 1) as v"""
_METER = f"""select m.id, m.code, m.name, m.description, m.status, m.revision, m.created_at,
    m.updated_at,
    {_DEFINITION} from meter m {_NEWEST} where m.tenant_id = $1"""


async def meter_by_code(tx: Tx, meter_code: str) -> Meter:
    """A meter with its newest version. Refuses: `meter_unknown`."""
    row = await tx.fetch_row(f"{_METER} and m.code = $2", tx.tenant_id, meter_code)
    if row is None:
        raise meter_unknown(meter_code=meter_code)
    return _meter_from_row(row)


async def list_meters(
    tx: Tx, *, before: UUID | None, limit: int, status: MeterStatus | None
) -> list[Meter]:
    """Meters, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""{_METER} and ($2::uuid is null or m.id < $2) and ($4::text is null or m.status = $4)
            order by m.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        status,
    )
    return [_meter_from_row(row) for row in rows]


async def list_meter_versions(
    tx: Tx, meter_code: str, *, before: int | None, limit: int
) -> list[MeterVersion]:
    """A meter's versions, newest first, with numbers below `before`. Refuses: `meter_unknown`."""
    meter = await meter_by_code(tx, meter_code)
    rows = await tx.fetch(
        f"""select {_DEFINITION} from meter_version v
            where v.tenant_id = $1 and v.meter_id = $2 and ($3::int is null or v.number < $3)
            order by v.number desc limit $4""",
        tx.tenant_id,
        meter.id,
        before,
        limit,
    )
    return [_version_from_row(row) for row in rows]


async def meter_versions(
    tx: Tx, wanted: Collection[tuple[str, int | None]]
) -> dict[tuple[str, int | None], MeterVersion]:
    """Versions by the meter's code and their number, or without one the newest; those of meters that
    nobody has defined are absent.
    """
    if not wanted:
        return {}
    rows = await tx.fetch(
        f"""select w.code, w.number as wanted, {_DEFINITION}
            from unnest($2::text[], $3::int[]) as w (code, number)
            join meter m on m.tenant_id = $1 and m.code = w.code
            cross join lateral (
                select * from meter_version n
                where n.tenant_id = $1 and n.meter_id = m.id
                    and (w.number is null or n.number = w.number)
                order by n.number desc limit 1) as v""",
        tx.tenant_id,
        [code for code, _ in wanted],
        [number for _, number in wanted],
    )
    return {(row["code"], row["wanted"]): _version_from_row(row) for row in rows}


def _meter_from_row(row: asyncpg.Record) -> Meter:
    return Meter(
        id=MeterId(row["id"]),
        code=row["code"],
        name=row["name"],
        description=row["description"],
        status=MeterStatus(row["status"]),
        version=_version_from_row(row),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        revision=row["revision"],
    )


def _version_from_row(row: asyncpg.Record) -> MeterVersion:
    return MeterVersion(
        number=row["number"],
        definition=MeterDefinition(
            event_type=row["event_type"],
            aggregation=Aggregation(row["aggregation"]),
            property=row["property"],
            filters={name: tuple(values) for name, values in from_json(row["filters"]).items()},
            group_by=tuple(row["group_by"]),
            rounding=None if row["rounding"] is None else WholeUnits(row["rounding"]),
            carries_over=row["carries_over"],
        ),
    )
