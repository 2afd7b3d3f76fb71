"""How does a meter come to be?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.usage.errors import meter_code_taken
from billwright.features.usage.events import MeterCreated
from billwright.features.usage.model import (
    Meter,
    MeterDefinition,
    MeterId,
    MeterStatus,
    MeterVersion,
)
from billwright.features.usage.rules.definition import check_definition
from billwright.features.usage.sql.writes import insert_meter, insert_meter_version
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMeter:
    """What a meter counts, and the code by which plans name it."""

    code: str
    name: str
    definition: MeterDefinition
    description: str = ""


async def create_meter(tx: Tx, command: CreateMeter) -> Meter:
    """Define a meter. Plans may have named it before: what is billed from now on is counted so.

    Refuses: `meter_definition_unfit`, `meter_code_taken`.
    """
    check_definition(command.definition)
    meter = Meter(
        id=MeterId(new_id()),
        code=command.code,
        name=command.name,
        description=command.description,
        status=MeterStatus.ACTIVE,
        version=MeterVersion(number=1, definition=command.definition),
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not await insert_meter(tx, meter):
        raise meter_code_taken(meter_code=command.code)
    await insert_meter_version(tx, meter)
    tx.publish(
        MeterCreated(
            subject_id=meter.id,
            account_id=None,
            code=meter.code,
            name=meter.name,
            version_number=meter.version.number,
        )
    )
    tx.audit("meter.create", subject_type="meter", subject_id=meter.id, details=command)
    return meter
