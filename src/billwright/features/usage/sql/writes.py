"""How does usage become durable?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from billwright.features.usage.model import LateUsage, Meter, NewUsage, PropertyValue, UsagePlace
from billwright.runtime.db.json import from_json, to_json
from billwright.runtime.db.tx import Tx


async def insert_events(
    tx: Tx, told: Sequence[tuple[UsagePlace, NewUsage]]
) -> set[tuple[str, str]]:
    """Store the events that are not stored yet and add them to the running totals, by one statement;
    returns which those were.

    All insert in the order of identities and then add in the order of the totals' keys, so that two
    transactions wait for each other one way only; this is why a correction disturbs the total of what
    it corrects here too, which may be of another type. Whose usage it is travels once for all of an
    account's subscription, and since mostly all events are new, nothing is said of each when they are.
    """
    ordered = sorted(told, key=lambda one: (one[1].source, one[1].event_id))
    # By identity: a UUID takes longer to be looked up than everything else that is done for an event.
    places = list({id(place): place for place, _ in told}.values())
    numbers = {id(place): number for number, place in enumerate(places, start=1)}
    some: str | None = await tx.fetch_value(
        """with new as (
               insert into usage_event (tenant_id, source, event_id, account_id, subscription_id, meter,
                   quantity, occurred_at, received_at, properties, corrects_source, corrects_event_id,
                   actor_kind, actor_name, actor_id)
               select $1, r.s, r.e, ($3::uuid[])[r.p], ($4::uuid[])[r.p], r.m, r.q, r.at,
                   ($5::timestamptz[])[r.p], r.properties, r.cs, r.ce, $7, $8, $9
               from json_to_recordset($2::json) as r (s text, e text, p int, m text, q numeric,
                   at timestamptz, properties jsonb, cs text, ce text)
               on conflict do nothing
               returning source, event_id, account_id, subscription_id, meter, quantity, occurred_at,
                   received_at, corrects_source, corrects_event_id),
           changed as (
               select account_id, meter, subscription_id, quantity, 1 as told, occurred_at,
                   corrects_event_id is not null or occurred_at > received_at as disturbs
               from new
               union all
               select n.account_id, c.meter, n.subscription_id, 0, 0, 'infinity', true
               from new n cross join lateral (
                   select e.meter from usage_event e
                   where e.tenant_id = $1 and e.source = n.corrects_source
                       and e.event_id = n.corrects_event_id limit 1) as c
               where n.corrects_event_id is not null),
           added as (
               insert into usage_total as t (tenant_id, account_id, event_type, subscription_id,
                   quantity, events, revision, frontier, unseen)
               select $1, c.account_id, c.meter, c.subscription_id, coalesce(sum(c.quantity), 0),
                   sum(c.told), 1 + bool_or(c.disturbs)::int, min(c.occurred_at), true
               from changed c group by c.account_id, c.meter, c.subscription_id
               order by c.account_id, c.meter, c.subscription_id
               on conflict (tenant_id, account_id, event_type, subscription_id) do update
                   set quantity = t.quantity + excluded.quantity, events = t.events + excluded.events,
                       revision = t.revision + greatest(excluded.revision - 1,
                                                        (excluded.frontier < t.frontier)::int),
                       unseen = true)
           select coalesce(json_agg(json_build_array(source, event_id)), '[]') from new
           having count(*) < $6""",
        tx.tenant_id,
        to_json([_row(event, place=numbers[id(place)]) for place, event in ordered]),
        [place.account_id for place in places],
        [place.subscription_id for place in places],
        [place.now for place in places],
        len(ordered),
        tx.actor.kind,
        tx.actor.name,
        tx.actor.id,
    )
    if some is None:
        return {(event.source, event.event_id) for _, event in told}
    return {(source, event_id) for source, event_id in from_json(some)}


class _Row(msgspec.Struct, omit_defaults=True, gc=False):
    """An event on its way, under short names, for there are a thousand of them: most have no properties
    and correct nothing, and every member takes its time on both sides.
    """

    s: str
    e: str
    p: int
    m: str
    q: Decimal | None
    at: datetime
    properties: Mapping[str, PropertyValue] | None = None
    cs: str | None = None
    ce: str | None = None


def _row(event: NewUsage, *, place: int) -> _Row:
    return _Row(
        event.source,
        event.event_id,
        place,
        event.meter,
        event.quantity,
        event.occurred_at,
        event.properties,
        *(event.corrects or ()),
    )


async def mark_late_usage(tx: Tx, late: Sequence[LateUsage]) -> None:
    """Note that billed windows are to be looked at again; what was noted of a subscription before
    becomes wider and is due when the first of both was.
    """
    await tx.execute(
        """insert into late_usage as known
               (tenant_id, account_id, subscription_id, occurred_from, occurred_until, due_at)
           select $1, l.account_id, l.subscription_id, l.occurred_from, l.occurred_until, l.due_at
           from json_populate_recordset(null::late_usage, $2::json) as l
           on conflict (tenant_id, account_id, subscription_id) do update
               set occurred_from = least(known.occurred_from, excluded.occurred_from),
                   occurred_until = greatest(known.occurred_until, excluded.occurred_until),
                   due_at = least(known.due_at, excluded.due_at)""",
        tx.tenant_id,
        to_json(sorted(late, key=lambda one: (one.account_id, one.subscription_id))),
    )


async def claim_late_accounts(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, limit: int
) -> list[UUID]:
    """Lock up to `limit` accounts of which billed windows are to be looked at again, those that have
    waited longest first. Those that a command or another worker holds are passed over; parked ones are
    left alone.
    """
    clock = (
        "a.test_clock_id = $4" if test_clock_id else "a.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select a.id from late_usage l
            join account a on a.tenant_id = l.tenant_id and a.id = l.account_id
            where l.tenant_id = $1 and l.due_at <= $2 and a.parked_reason is null and {clock}
            order by l.due_at limit $3
            for no key update of a skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
    )
    return list({row["id"] for row in rows})


async def take_late_usage(
    tx: Tx, account_ids: Sequence[UUID], *, as_of: datetime
) -> list[LateUsage]:
    """Forget what was noted of these accounts and is due, and return it. Who notes something of the same
    subscription meanwhile waits for the commit, and then notes it anew.
    """
    rows = await tx.fetch(
        """with held as materialized (
               select account_id, subscription_id from late_usage
               where tenant_id = $1 and account_id = any($2::uuid[]) and due_at <= $3
               order by account_id, subscription_id for update)
           delete from late_usage l using held h
           where l.tenant_id = $1 and l.account_id = h.account_id
               and l.subscription_id = h.subscription_id
           returning l.account_id, l.subscription_id, l.occurred_from, l.occurred_until, l.due_at""",
        tx.tenant_id,
        account_ids,
        as_of,
    )
    return [LateUsage(**row) for row in rows]


async def insert_meter(tx: Tx, meter: Meter) -> bool:
    """Store a new meter, without its version; false when its code is taken."""
    inserted = await tx.insert(
        "meter",
        [
            {
                "id": meter.id,
                "code": meter.code,
                "name": meter.name,
                "description": meter.description,
                "status": meter.status,
                "created_at": meter.created_at,
                "updated_at": meter.updated_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def insert_meter_version(tx: Tx, meter: Meter) -> None:
    """Store the newest version of a meter."""
    definition = meter.version.definition
    await tx.insert(
        "meter_version",
        [
            {
                "meter_id": meter.id,
                "number": meter.version.number,
                "event_type": definition.event_type,
                "aggregation": definition.aggregation,
                "property": definition.property,
                "filters": definition.filters,
                "group_by": definition.group_by,
                "rounding": definition.rounding,
                "carries_over": definition.carries_over,
                "created_at": tx.now,
            }
        ],
    )


async def lock_meter(tx: Tx, meter_code: str) -> None:
    """Hold a meter until the commit, so that its versions follow each other."""
    await tx.execute(
        "select from meter where tenant_id = $1 and code = $2 for no key update",
        tx.tenant_id,
        meter_code,
    )


async def update_meter_row(tx: Tx, meter: Meter) -> None:
    """Store what a meter is called, and whether it is archived."""
    await tx.execute(
        """update meter set name = $3, description = $4, status = $5, updated_at = $6,
               revision = $7
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        meter.id,
        meter.name,
        meter.description,
        meter.status,
        meter.updated_at,
        meter.revision,
    )
