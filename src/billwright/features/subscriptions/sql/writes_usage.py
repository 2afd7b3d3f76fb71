"""How does what was billed for usage become durable?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.model import BilledUsage
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def upsert_billed_usage(tx: Tx, windows: Sequence[BilledUsage]) -> None:
    """Store what windows were billed; one that begins where another did takes its place."""
    await tx.execute(
        """insert into usage_window as known (tenant_id, id, subscription_id, plan_component_id, meter,
               meter_version, starts_at, ends_at, cutoff, quantity, events, digest, owed_minor, basis,
               adjustments)
           select $1, w.id, w.subscription_id, w.plan_component_id, w.meter, w.meter_version,
               w.starts_at, w.ends_at, w.cutoff, w.quantity, w.events, w.digest, w.owed_minor, w.basis,
               w.adjustments
           from json_populate_recordset(null::usage_window, $2::json) as w
           on conflict (tenant_id, subscription_id, plan_component_id, starts_at) do update
               set meter = excluded.meter, meter_version = excluded.meter_version,
                   ends_at = excluded.ends_at, cutoff = excluded.cutoff,
                   quantity = excluded.quantity, events = excluded.events,
                   digest = excluded.digest, owed_minor = excluded.owed_minor,
                   basis = excluded.basis, adjustments = excluded.adjustments""",
        tx.tenant_id,
        to_json(
            [
                {
                    "id": one.id,
                    "subscription_id": one.subscription_id,
                    "plan_component_id": one.plan_component_id,
                    "meter": one.meter,
                    "meter_version": one.meter_version,
                    "starts_at": one.start,
                    "ends_at": one.end,
                    "cutoff": one.cutoff,
                    "quantity": one.quantity,
                    "events": one.events,
                    "digest": one.digest,
                    "owed_minor": one.owed_minor,
                    "basis": one.basis,
                    "adjustments": one.adjustments,
                }
                for one in windows
            ]
        ),
    )


async def delete_billed_usage(
    tx: Tx, subscription_id: UUID, *, component_id: UUID, since: datetime
) -> None:
    """Forget what was billed for a component from an instant on, for it is owed again."""
    await tx.execute(
        """delete from usage_window
           where tenant_id = $1 and subscription_id = $2 and plan_component_id = $3
               and starts_at >= $4""",
        tx.tenant_id,
        subscription_id,
        component_id,
        since,
    )
