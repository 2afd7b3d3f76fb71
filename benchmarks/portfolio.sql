-- One subscription becomes many: each row of the temporary table `copy` names a copy of it, of its
-- account, its items and its access. Columns that are not named here are as in the original.
create temp table original on commit drop as
    select * from subscription where id = current_setting('benchmark.subscription')::uuid;

insert into account
select made.* from original o join account a on (a.tenant_id, a.id) = (o.tenant_id, o.account_id) cross join copy c
cross join lateral jsonb_populate_record(a, jsonb_build_object(
    'id', c.account_id, 'number', c.number, 'name', 'Customer ' || c.number)) made;

insert into subscription
select made.* from original o join subscription s on (s.tenant_id, s.id) = (o.tenant_id, o.id) cross join copy c
cross join lateral jsonb_populate_record(s, jsonb_build_object(
    'id', c.subscription_id, 'number', c.number, 'account_id', c.account_id)) made;

-- Three components of one plan: a flat fee has the quantity one, the others what the number says.
insert into subscription_item
select made.*
from original o join subscription_item i on (i.tenant_id, i.subscription_id) = (o.tenant_id, o.id)
join plan_component p on (p.tenant_id, p.id) = (i.tenant_id, i.plan_component_id) cross join copy c
cross join lateral jsonb_populate_record(i, jsonb_build_object(
    'id', gen_random_uuid(), 'subscription_id', c.subscription_id,
    'quantity', case p.code when 'base' then 1 when 'seats' then 1 + c.number % 97
        else 1 + c.number * 7919 % 99991 end)) made;

insert into entitlement_source
select made.* from original o join entitlement_source e on (e.tenant_id, e.subscription_id) = (o.tenant_id, o.id) cross join copy c
cross join lateral jsonb_populate_record(e, jsonb_build_object(
    'subscription_id', c.subscription_id, 'account_id', c.account_id)) made;

insert into entitlement_snapshot
select made.* from original o join entitlement_snapshot e on (e.tenant_id, e.account_id) = (o.tenant_id, o.account_id) cross join copy c
cross join lateral jsonb_populate_record(e, jsonb_build_object(
    'account_id', c.account_id,
    'decisions', jsonb_set(e.decisions, '{subscriptions}', jsonb_build_object(
        c.subscription_id::text, e.decisions -> 'subscriptions' -> o.id::text)))) made;

create temp table pool_copy on commit drop as
    select p.id as original_id, gen_random_uuid() as id, c.account_id
    from original o join entitlement_pool p on (p.tenant_id, p.account_id) = (o.tenant_id, o.account_id) cross join copy c;

insert into entitlement_pool
select made.* from pool_copy c join entitlement_pool p on p.id = c.original_id
cross join lateral jsonb_populate_record(p, jsonb_build_object(
    'id', c.id, 'account_id', c.account_id,
    'definition', jsonb_set(p.definition, '{account_id}', to_jsonb(c.account_id)))) made;

insert into entitlement_allotment
select made.* from pool_copy c join entitlement_allotment a on a.pool_id = c.original_id
cross join lateral jsonb_populate_record(a, jsonb_build_object(
    'id', gen_random_uuid(), 'pool_id', c.id, 'account_id', c.account_id)) made;
