insert into raw_usage
select 'api', e.* from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::int[]) as e
on conflict do nothing
