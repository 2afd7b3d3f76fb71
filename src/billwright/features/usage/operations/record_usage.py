"""How does usage become known?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from billwright.features.usage.errors import usage_event_corrected, usage_event_differs
from billwright.features.usage.model import NewUsage, UsagePlace
from billwright.features.usage.rules.acceptance import is_same, late_usage, refuse_unfit_events
from billwright.features.usage.sql.reads import recorded_events
from billwright.features.usage.sql.writes import insert_events, mark_late_usage
from billwright.runtime.db.tx import Tx


async def record_events(
    tx: Tx,
    told: Sequence[tuple[UsagePlace, NewUsage]],
    *,
    within: str = "/events",
    taken_away: Sequence[tuple[UsagePlace, datetime]] = (),
) -> Collection[tuple[str, str]]:
    """Record usage of any subscriptions, each event once however often it is told; returns which were
    new. Nobody waits for anybody: what is recorded while its window is being billed is found when that
    is looked at again.

    An event that was recorded with other values is an error of its source: all are refused, so that
    it can be told apart from a repetition. `within` is where a request has them; `taken_away` are the
    instants of others that do not count any more because of these. Refuses: `usage_events_too_many`,
    `usage_quantity_invalid`, `usage_event_differs`, `usage_event_corrected`.
    """
    refuse_unfit_events([event for _, event in told], within=within)
    if not told:
        return ()
    recorded = await insert_events(tx, told)
    if len(recorded) < len(told):
        await _refuse_differing(tx, told, within=within)
    if recorded:
        # At once, because who notes one subscription after another may wait in a circle.
        late = late_usage([*((place, event.occurred_at) for place, event in told), *taken_away])
        if late:
            await mark_late_usage(tx, late)
    return recorded


async def _refuse_differing(
    tx: Tx, told: Sequence[tuple[UsagePlace, NewUsage]], *, within: str
) -> None:
    # A statement of its own: the one before may have waited for what another transaction recorded,
    # and does not see it.
    kept = await recorded_events(tx, [(event.source, event.event_id) for _, event in told])
    for number, (place, event) in enumerate(told):
        known = kept.get((event.source, event.event_id))
        if known is None and event.corrects is not None:
            raise usage_event_corrected(
                source=event.corrects.source, event_id=event.corrects.event_id
            )
        if (
            known is None
            or known.subscription_id != place.subscription_id
            or not is_same(known.event, told=event)
        ):
            raise usage_event_differs(
                pointer=f"{within}/{number}", source=event.source, event_id=event.event_id
            )
