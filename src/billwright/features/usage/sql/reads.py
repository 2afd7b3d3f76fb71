"""What does the database know of usage?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

import asyncpg

from billwright.features.usage.model import (
    Aggregation,
    EventName,
    ListedEvent,
    MeterDefinition,
    MeterVersion,
    NewUsage,
    RecordedEvent,
    UsageWindow,
    Used,
    UsedGroup,
)
from billwright.features.usage.rules.aggregation import digest_of, quantity_of
from billwright.features.usage.sql.reads_meters import meter_versions
from billwright.features.usage.sql.totals import HELD, OF_SETS
from billwright.kernel.actor import Actor, ActorKind
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json, to_json
from billwright.runtime.db.tx import Tx


async def used_quantities(
    tx: Tx, windows: Sequence[UsageWindow], *, cutoff: datetime | None
) -> dict[int, Used]:
    """What each window holds of the events received by `cutoff` (none: of all), by its key and in a
    constant number of queries; a window without events is absent.

    Events that were corrected do not count, nor do those whose property is no number where one is
    aggregated.
    """
    versions = await _versions_for(tx, windows)
    sets = [one for one in windows if not _is_held(versions[one.key].definition)]
    held = [one for one in windows if _is_held(versions[one.key].definition)]
    rows: list[asyncpg.Record] = []
    for asked, sql in ((sets, OF_SETS), (held, HELD)):
        if asked:
            told = to_json([_as_row(one, versions[one.key].definition) for one in asked])
            rows += await tx.fetch(sql, tx.tenant_id, told, cutoff)
    return _used(rows, versions)


async def _versions_for(tx: Tx, windows: Sequence[UsageWindow]) -> dict[int, MeterVersion]:
    known = await meter_versions(
        tx, {(one.meter, one.version) for one in windows if one.version != 0}
    )
    return {
        one.key: known.get((one.meter, one.version))
        or MeterVersion(number=0, definition=MeterDefinition(event_type=one.meter))
        for one in windows
    }


def _is_held(definition: MeterDefinition) -> bool:
    """Whether the order of events counts, which needs them sorted."""
    return definition.carries_over or definition.aggregation in {
        Aggregation.LATEST,
        Aggregation.WEIGHTED_SUM,
    }


def _as_row(window: UsageWindow, definition: MeterDefinition) -> dict[str, object]:
    period = window.end - window.start if window.period is None else window.period
    return {
        "key": window.key,
        "subscription_id": window.subscription_id,
        "event_type": definition.event_type,
        "starts_at": window.start,
        "ends_at": window.end,
        # Whole seconds and microseconds, so that nothing is rounded.
        "period_seconds": f"{period.days * 86400 + period.seconds}.{period.microseconds:06}",
        "aggregation": definition.aggregation,
        "property": definition.property,
        "filters": definition.filters,
        "group_by": definition.group_by,
        "carries_over": definition.carries_over,
    }


def _used(rows: Iterable[asyncpg.Record], versions: Mapping[int, MeterVersion]) -> dict[int, Used]:
    groups: dict[int, list[tuple[UsedGroup, str]]] = defaultdict(list)
    for row in rows:
        quantity = Fraction(row["numerator"]) / Fraction(row["denominator"])
        group = UsedGroup(values=tuple(row["values"]), quantity=quantity, events=row["events"])
        groups[row["key"]].append((group, row["digest"]))
    return {
        key: Used(
            quantity=quantity_of(
                [group for group, _ in parts], rounding=versions[key].definition.rounding
            ),
            events=sum(group.events for group, _ in parts),
            digest=digest_of(parts),
            meter_version=versions[key].number,
            groups=tuple(group for group, _ in parts),
        )
        for key, parts in groups.items()
    }


async def recorded_events(
    tx: Tx, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], RecordedEvent]:
    """Events with the subscriptions that they belong to, by source and id; unknown ones are absent."""
    # Limited, so that each is looked up by its key, whatever is believed of the table's size.
    rows = await tx.fetch(
        """select e.* from unnest($2::text[], $3::text[]) as i (source, event_id)
           cross join lateral (
               select u.source, u.event_id, u.account_id, u.subscription_id, u.meter, u.quantity,
                   u.occurred_at, u.properties, u.corrects_source, u.corrects_event_id
               from usage_event u
               where u.tenant_id = $1 and u.source = i.source and u.event_id = i.event_id
               limit 1
           ) as e""",
        tx.tenant_id,
        [source for source, _ in names],
        [event_id for _, event_id in names],
    )
    return {
        (row["source"], row["event_id"]): RecordedEvent(
            row["account_id"], row["subscription_id"], _event_from_row(row)
        )
        for row in rows
    }


async def list_events(
    tx: Tx,
    subscription_id: UUID,
    *,
    event_type: str,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, str, str] | None,
    limit: int,
) -> list[ListedEvent]:
    """A subscription's events of a type that occurred from and including `since` until `until`, latest
    first, after the one with that instant, source and id. Corrected ones are among them.
    """
    wanted = Conditions("u.tenant_id = {}", tx.tenant_id)
    wanted.add("u.subscription_id = {}", subscription_id)
    wanted.add("u.meter = {}", event_type)
    wanted.add("u.occurred_at >= {}", since)
    wanted.add("u.occurred_at < {}", until)
    if before is not None:
        at, source, event_id = map(wanted.parameter, before)
        wanted.add_text(f"(u.occurred_at, u.source, u.event_id) < ({at}, {source}, {event_id})")
    rows = await tx.fetch(
        f"""select u.source, u.event_id, u.meter, u.quantity, u.occurred_at, u.received_at,
                u.properties, u.corrects_source, u.corrects_event_id,
                u.actor_kind, u.actor_name, u.actor_id, c.source as by_source, c.event_id as by_event_id
            from usage_event u
            left join usage_event c on c.tenant_id = u.tenant_id
                and c.corrects_source = u.source and c.corrects_event_id = u.event_id
            where {wanted.sql}
            order by u.occurred_at desc, u.source desc, u.event_id desc
            limit {wanted.parameter(limit)}""",
        *wanted.values,
    )
    return [_listed_from_row(row) for row in rows]


def _listed_from_row(row: asyncpg.Record) -> ListedEvent:
    told_by = corrected_by = None
    if row["actor_kind"] is not None:
        told_by = Actor(ActorKind(row["actor_kind"]), row["actor_name"], row["actor_id"])
    if row["by_event_id"] is not None:
        corrected_by = EventName(row["by_source"], row["by_event_id"])
    return ListedEvent(
        event=_event_from_row(row),
        received_at=row["received_at"],
        told_by=told_by,
        corrected_by=corrected_by,
    )


def _event_from_row(row: asyncpg.Record) -> NewUsage:
    corrects = None
    if row["corrects_event_id"] is not None:
        corrects = EventName(row["corrects_source"], row["corrects_event_id"])
    return NewUsage(
        source=row["source"],
        event_id=row["event_id"],
        meter=row["meter"],
        quantity=row["quantity"],
        occurred_at=row["occurred_at"],
        properties=None if row["properties"] is None else from_json(row["properties"]),
        corrects=corrects,
    )


async def earliest_late_usage(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When a billed window is first to be looked at again on a test clock."""
    at: datetime | None = await tx.fetch_value(
        """select min(l.due_at) from account a
           join late_usage l on l.tenant_id = a.tenant_id and l.account_id = a.id
           where a.tenant_id = $1 and a.test_clock_id = $2 and a.parked_reason is null""",
        tx.tenant_id,
        test_clock_id,
    )
    return at
