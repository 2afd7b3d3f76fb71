"""Who told of usage, trials by ways to pay, methods to detach, and what else was not remembered."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql_file("0012_closing_gaps.sql")
