"""Overrides, pools of metered features, grants, reservations, and running totals of usage."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_file("0007_entitlements.sql")
