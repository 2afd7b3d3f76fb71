-- What an event cannot do without: what it is known by, so that a repetition is recognized, and what is
-- counted. No tenant, no row-level security, no foreign key, and no index to count by.
create table raw_usage (
    source text not null,
    event_id text not null,
    event_type text not null,
    quantity bigint not null,
    occurred_at timestamptz not null,
    subscription_number int not null,
    primary key (source, event_id)
);
