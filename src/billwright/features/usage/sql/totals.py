"""How are the events of many windows counted by one statement?

Both statements take the tenant, the windows as JSON and the cutoff, and answer with a row for each
window and group: `numerator / denominator` is its exact quantity.
"""

from __future__ import annotations

# An event's value is a property of it or its quantity. What stands in a property is only taken for a
# number if it is one that a bill can count: 14 digits before the point and 12 behind it.
_VALUE = r"""
    case when w.property is null then e.quantity
         when e.properties ->> w.property ~ '^-?[0-9]{1,14}(\.[0-9]{1,12})?$'
             then (e.properties ->> w.property)::numeric
    end"""

_GROUP = """
    case when w.group_by = '{}' then '{}'
         else array(select e.properties ->> g.name
                    from unnest(w.group_by) with ordinality as g (name, place) order by g.place)
    end"""

# Whether an event was corrected is asked for each event by the key of corrections, of which there are
# few: as a join, the planner may read all of them for every window.
_EVENTS = """
    e.tenant_id = $1 and e.subscription_id = w.subscription_id and e.meter = w.event_type
    and e.occurred_at < w.ends_at and e.quantity is not null
    and e.received_at <= coalesce($3::timestamptz, 'infinity')
    and (select true from usage_event c
         where c.tenant_id = $1 and c.corrects_source = e.source
             and c.corrects_event_id = e.event_id and c.corrects_event_id is not null
             and c.received_at <= coalesce($3::timestamptz, 'infinity') limit 1) is null
    and case when w.filters = '{}' then true
             else not exists (select from jsonb_each(w.filters) as f
                              where (f.value ? (e.properties ->> f.key)) is not true)
        end"""

_WINDOWS = """json_to_recordset($2::json) as w (
        key int, subscription_id uuid, event_type text, starts_at timestamptz, ends_at timestamptz,
        period_seconds numeric, aggregation text, property text, filters jsonb, group_by text[],
        carries_over boolean)"""

# As JSON, an identity cannot run into the value beside it. The order is that of bytes, so that a digest
# does not depend on the language of the database.
_DIGEST = """
    encode(sha256(convert_to(string_agg(
        json_build_array(m.source, m.event_id, m.counted)::text, ''
        order by m.source collate "C", m.event_id collate "C"
    ), 'UTF8')), 'hex')"""

OF_SETS = f"""
    select w.key, u.* from {_WINDOWS}
    cross join lateral (
        select m."values", count(*) as events,
            case w.aggregation
                when 'count' then count(*)
                when 'unique_count' then count(distinct m.text)
                when 'max' then max(m.value)
                when 'min' then min(m.value)
                else sum(m.value)
            end as numerator,
            case w.aggregation when 'avg' then count(*) else 1 end as denominator,
            {_DIGEST} as digest
        from (
            select e.source, e.event_id, s.value, e.properties ->> w.property as text,
                {_GROUP} as "values",
                case w.aggregation when 'unique_count' then to_json(e.properties ->> w.property)
                     else to_json(s.value) end as counted
            from usage_event e cross join lateral (select {_VALUE} as value) as s
            where e.occurred_at >= w.starts_at and {_EVENTS}
        ) as m
        where case w.aggregation when 'unique_count' then m.text is not null
                   else m.value is not null end
        group by m."values"
    ) as u"""

# Each value is held until the next event of its group. Of what was known before the window, a sum takes
# all, and everything else what was still held when the window began.
HELD = f"""
    select w.key, u.* from {_WINDOWS}
    cross join lateral (
        select m."values", count(*) as events,
            case w.aggregation
                when 'max' then max(m.value)
                when 'min' then min(m.value)
                when 'latest' then (array_agg(m.value order by m.occurred_at desc,
                    m.source collate "C" desc, m.event_id collate "C" desc))[1]
                when 'weighted_sum' then sum(m.value * extract(epoch from
                    coalesce(m.next_at, w.ends_at) - greatest(m.occurred_at, w.starts_at)))
                else sum(m.value)
            end as numerator,
            case w.aggregation when 'weighted_sum' then w.period_seconds else 1 end as denominator,
            {_DIGEST} as digest
        from (
            select *, lead(v.occurred_at) over (
                partition by v."values"
                order by v.occurred_at, v.source collate "C", v.event_id collate "C") as next_at
            from (
                select e.source, e.event_id, e.occurred_at, s.value, {_GROUP} as "values",
                    to_json(s.value) as counted
                from usage_event e cross join lateral (select {_VALUE} as value) as s
                where (w.carries_over or e.occurred_at >= w.starts_at) and {_EVENTS}
            ) as v
            where v.value is not null
        ) as m
        where m.occurred_at >= w.starts_at or w.aggregation = 'sum'
            or coalesce(m.next_at, w.ends_at) > w.starts_at
        group by m."values"
    ) as u"""

# A window begins with a use and lasts so many seconds; the next begins with the first use after it.
_FIRST_USE = f"""
    (select min(f.occurred_at) from unnest(o.subscription_ids) as s (subscription_id)
     cross join lateral (
         select e.occurred_at from usage_event e, lateral (
             select s.subscription_id, o.event_type, o.ends_at, o.property, o.filters) as w
         where e.occurred_at >= SINCE and {_EVENTS}
             and case when o.aggregation = 'unique_count' then e.properties ->> o.property is not null
                      else ({_VALUE}) is not null end
         order by e.occurred_at limit 1) as f)"""

FIRST_USES = f"""
    select o.key, u.at from json_to_recordset($2::json) as o (
        key int, subscription_ids uuid[], event_type text, aggregation text, property text,
        filters jsonb, starts_at timestamptz, ends_at timestamptz, seconds int)
    cross join lateral (
        with recursive uses as (
            select {_FIRST_USE.replace("SINCE", "o.starts_at")} as at
            union all
            select {_FIRST_USE.replace("SINCE", "p.at + make_interval(secs => o.seconds)")}
            from uses p where p.at is not null)
        select at from uses where at is not null) as u
    order by o.key, u.at"""
