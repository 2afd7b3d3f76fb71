"""Meters, corrections of usage, and what became known after it was billed."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_file("0006_usage.sql")
