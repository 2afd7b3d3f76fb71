"""Trials that are had once, reminders, and a history of cancellations."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_file("0008_trials.sql")
