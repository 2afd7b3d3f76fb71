"""The order of the event log, outgoing webhooks, and message types that a service stopped."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_file("0005_webhooks.sql")
