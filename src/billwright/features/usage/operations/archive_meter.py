"""How does a meter stop changing?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.usage.events import MeterArchived
from billwright.features.usage.model import Meter, MeterStatus
from billwright.features.usage.rules.revision import require_revision
from billwright.features.usage.sql.reads_meters import meter_by_code
from billwright.features.usage.sql.writes import lock_meter, update_meter_row
from billwright.runtime.db.tx import Tx


async def archive_meter(tx: Tx, meter_code: str, *, expected_revision: int | None = None) -> Meter:
    """Put a meter away; what names it goes on being counted by it. Archiving it again changes nothing.

    Refuses: `meter_unknown`, `meter_stale`.
    """
    await lock_meter(tx, meter_code)
    meter = await meter_by_code(tx, meter_code)
    require_revision(meter, expected_revision)
    tx.audit("meter.archive", subject_type="meter", subject_id=meter.id)
    if meter.status is MeterStatus.ARCHIVED:
        return meter
    archived = replace(
        meter, status=MeterStatus.ARCHIVED, revision=meter.revision + 1, updated_at=tx.now
    )
    await update_meter_row(tx, archived)
    tx.publish(
        MeterArchived(subject_id=meter.id, account_id=None, code=meter.code, name=meter.name)
    )
    return archived
