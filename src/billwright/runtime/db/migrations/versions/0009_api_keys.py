"""When an API key was last used."""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_file("0009_api_keys.sql")
