"""Which database does a single process work on?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from billwright.runtime.db.embedded import EmbeddedPostgres
from billwright.runtime.db.inspection import DatabaseUnusable
from billwright.runtime.settings import Settings


def configured_address(settings: Settings) -> str:
    """The address of DATABASE_URL. Raises `DatabaseUnusable`: processes that are started one by one
    cannot share an embedded database, which belongs to the one that starts it.
    """
    if settings.database_url is None:
        raise DatabaseUnusable(
            "DATABASE_URL is not set. Set it, for example to "
            "postgresql://billwright:password@127.0.0.1:5432/billwright, or run everything "
            "together, with an embedded database: billwright up"
        )
    return settings.database_url.get_secret_value()


def application_address(settings: Settings) -> str:
    """Where the application logs in: DATABASE_APPLICATION_URL, else `configured_address`."""
    if settings.database_application_url is None:
        return configured_address(settings)
    return settings.database_application_url.get_secret_value()


@contextmanager
def any_address(settings: Settings) -> Iterator[str]:
    """The address of DATABASE_URL, else of the embedded database, which runs meanwhile."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with EmbeddedPostgres(settings.billwright_home, bin_dir=settings.postgres_bin_dir) as server:
        yield server.dsn_for("billwright")
