"""Contacts of accounts, revisions of what had none, and what lists are filtered by."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_file("0010_accounts.sql")
