"""Tenants, accounts, catalog, subscriptions, invoicing, payments, entitlements, messages."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_file("0001_core.sql")
