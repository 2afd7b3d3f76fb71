"""How does a meter come to count otherwise, or get another name?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from billwright.features.usage.errors import meter_archived
from billwright.features.usage.events import MeterUpdated
from billwright.features.usage.model import Meter, MeterDefinition, MeterStatus, MeterVersion
from billwright.features.usage.rules.definition import check_definition
from billwright.features.usage.rules.revision import require_revision
from billwright.features.usage.sql.reads_meters import meter_by_code
from billwright.features.usage.sql.writes import (
    insert_meter_version,
    lock_meter,
    update_meter_row,
)
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMeter:
    """What is to be another; what is none stays as it is. A definition is replaced as a whole."""

    meter_code: str
    name: str | None = None
    description: str | None = None
    definition: MeterDefinition | None = None
    expected_revision: int | None = None


async def update_meter(tx: Tx, command: UpdateMeter) -> Meter:
    """Change a meter. Another definition makes a new version, by which everything is counted that is
    billed from now on; what was billed keeps its own.

    Refuses: `meter_unknown`, `meter_stale`, `meter_archived`, `meter_definition_unfit`.
    """
    if command.definition is not None:
        check_definition(command.definition)
    await lock_meter(tx, command.meter_code)
    before = await meter_by_code(tx, command.meter_code)
    require_revision(before, command.expected_revision)
    if before.status is MeterStatus.ARCHIVED:
        raise meter_archived(meter_code=before.code)
    meter = replace(
        before,
        name=before.name if command.name is None else command.name,
        description=before.description if command.description is None else command.description,
        version=_version(before.version, command.definition),
    )
    if meter != before:
        meter = replace(meter, revision=before.revision + 1, updated_at=tx.now)
        await _store(tx, meter, before=before)
    tx.audit("meter.update", subject_type="meter", subject_id=meter.id, details=command)
    return meter


def _version(before: MeterVersion, definition: MeterDefinition | None) -> MeterVersion:
    if definition is None or definition == before.definition:
        return before
    return MeterVersion(number=before.number + 1, definition=definition)


async def _store(tx: Tx, meter: Meter, *, before: Meter) -> None:
    await update_meter_row(tx, meter)
    if meter.version != before.version:
        await insert_meter_version(tx, meter)
    tx.publish(
        MeterUpdated(
            subject_id=meter.id,
            account_id=None,
            code=meter.code,
            name=meter.name,
            version_number=meter.version.number,
        )
    )
