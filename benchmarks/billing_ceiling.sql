-- The ceiling of a billing run: all subscriptions that are due by $1 become invoices with three lines
-- each, tax, numbers and advanced periods in one statement.
with due as (
    select s.*, gen_random_uuid() as invoice_id,
        row_number() over (partition by s.tenant_id order by s.id) as number
    from subscription s where status = 'active' and period_end <= $1
), line as materialized (
    select d.tenant_id, d.invoice_id, k.kind, k.description, k.quantity, p.amount as unit_amount,
        round(k.quantity * p.amount, 2) as amount, p.tax_rate
    from due d
    left join usage_aggregate u
        on u.tenant_id = d.tenant_id and u.subscription_id = d.id and u.metric = 'api_calls'
    cross join lateral (values
        (1, 'recurring', 'Base fee', 1::numeric),
        (2, 'recurring', 'Seats', 1 + d.id % 97),
        (3, 'usage', 'API calls', coalesce(u.quantity, 0) / 1000)
    ) k (price_id, kind, description, quantity)
    join price p on p.tenant_id = d.tenant_id and p.id = k.price_id
), total as (
    select invoice_id, sum(amount) as subtotal, round(sum(amount * tax_rate), 2) as tax
    from line group by 1
), issued as (
    insert into invoice (tenant_id, id, number, subscription_id, customer_id, currency, period_start,
        period_end, subtotal, tax, total, status, created_at)
    select d.tenant_id, d.invoice_id, d.number, d.id, d.customer_id, d.currency, d.period_start,
        d.period_end, t.subtotal, t.tax, t.subtotal + t.tax, 'open', $1
    from due d join total t using (invoice_id)
    on conflict (tenant_id, subscription_id, period_start) do nothing
    returning tenant_id, id
), advanced as (
    update subscription s
    set period_start = s.period_end, period_end = s.period_end + interval '1 month'
    from issued i join due d on d.invoice_id = i.id and d.tenant_id = i.tenant_id
    where s.tenant_id = d.tenant_id and s.id = d.id
    returning 1
), lined as (
    insert into invoice_line (tenant_id, invoice_id, kind, description, quantity, unit_amount, amount)
    select l.tenant_id, l.invoice_id, l.kind, l.description, l.quantity, l.unit_amount, l.amount
    from line l join issued i on i.tenant_id = l.tenant_id and i.id = l.invoice_id
    returning 1
)
select (select count(*) from issued) as invoices, (select count(*) from lined) as lines,
    (select count(*) from advanced) as renewed
