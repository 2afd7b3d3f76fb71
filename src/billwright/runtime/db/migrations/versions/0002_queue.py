"""The job queue."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_file("0002_queue.sql")
