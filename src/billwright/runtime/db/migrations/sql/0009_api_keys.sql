-- Right to the hour: who goes by it asks which keys nobody uses any more.
alter table api_key add column last_used_at timestamptz;
