"""What in other features changes what may be used, in the very same commit?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.accounts.events import AccountUpdated
from billwright.features.catalog.events import FeatureUpdated
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.reads import accounts_with_pools
from billwright.features.entitlements.sql.writes import advance_epoch
from billwright.features.usage.events import MeterCreated, MeterUpdated
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Consequence

_OF_EVERYBODY = {"default", "meter", "combination", "on_change"}


async def feature_changed(tx: Tx, events: Sequence[FeatureUpdated]) -> None:
    """What every account has by default, and how everybody's usage is counted, is another at once."""
    if any(not _OF_EVERYBODY.isdisjoint(event.changed) for event in events):
        await advance_epoch(tx)


async def meter_changed(tx: Tx, events: Sequence[MeterCreated | MeterUpdated]) -> None:
    """A meter that counts otherwise does so for every limit on it."""
    if events:
        await advance_epoch(tx)


async def zone_changed(tx: Tx, events: Sequence[AccountUpdated]) -> None:
    """Limits that follow the calendar follow that of the account's zone."""
    moved = {event.subject_id for event in events if "zone" in event.changed}
    counting = await accounts_with_pools(tx, list(moved)) if moved else []
    if counting:
        await rebuild_snapshots(tx, counting)


CONSEQUENCES = [
    Consequence("entitlements_feature_updated", FeatureUpdated, feature_changed),
    Consequence("entitlements_meter_created", MeterCreated, meter_changed),
    Consequence("entitlements_meter_updated", MeterUpdated, meter_changed),
    Consequence("entitlements_account_updated", AccountUpdated, zone_changed),
]
