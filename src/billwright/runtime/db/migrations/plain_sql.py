"""How does a revision run its SQL file?"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from alembic import op
from sqlalchemy.util import await_only


def run_sql_file(name: str) -> None:
    """Run `migrations/sql/<name>` in the revision's transaction.

    The whole file goes to the server at once by the simple protocol, which SQLAlchemy does not offer;
    so the driver below it is asked.
    """
    script = files("billwright.runtime.db.migrations").joinpath("sql", name).read_text()
    connection: Any = op.get_bind().connection.dbapi_connection
    op.execute("select 1")  # the adapter begins its transaction with its first own statement
    await_only(connection.driver_connection.execute(script))
