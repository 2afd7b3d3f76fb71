"""People who sign in, their tokens and codes, from where something was done, and how often something is
asked.
"""

from billwright.runtime.db.migrations.plain_sql import run_sql_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql_file("0011_users.sql")
