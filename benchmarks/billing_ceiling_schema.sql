-- The schema with nothing to spare on which billing_ceiling.sql runs.
create table price (
    tenant_id int, id int, amount numeric(20, 4) not null, tax_rate numeric(6, 4) not null,
    primary key (tenant_id, id)
);
create table subscription (
    tenant_id int, id bigint, customer_id bigint not null, status text not null,
    currency char(3) not null, period_start timestamptz not null, period_end timestamptz not null,
    primary key (tenant_id, id)
);
create index on subscription (period_end) where status = 'active';
create table invoice (
    tenant_id int, id uuid default gen_random_uuid(), number bigint, subscription_id bigint not null,
    customer_id bigint not null, currency char(3) not null, period_start timestamptz,
    period_end timestamptz, subtotal numeric(20, 4), tax numeric(20, 4), total numeric(20, 4),
    status text not null, created_at timestamptz not null,
    primary key (tenant_id, id), unique (tenant_id, subscription_id, period_start)
);
create table invoice_line (
    tenant_id int, id uuid default gen_random_uuid(), invoice_id uuid not null, kind text not null,
    description text not null, quantity numeric(20, 6), unit_amount numeric(20, 4),
    amount numeric(20, 4), primary key (tenant_id, id),
    foreign key (tenant_id, invoice_id) references invoice (tenant_id, id)
);
create index on invoice_line (tenant_id, invoice_id);
create table usage_aggregate (
    tenant_id int, subscription_id bigint, metric text, quantity numeric(20, 6),
    primary key (tenant_id, subscription_id, metric)
);
