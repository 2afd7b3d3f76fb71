"""How does an operator bring the schema up to date?"""

from __future__ import annotations

import asyncio

from billwright.entrypoints.database_address import any_address
from billwright.runtime.db.inspection import require_supported
from billwright.runtime.db.migrate import migrate
from billwright.runtime.settings import Settings


def migrate_configured(settings: Settings) -> list[str]:
    """Migrate the database of the settings, embedded or not; returns the steps taken.

    Raises `DatabaseUnusable` when it is out of reach or of a version that is not supported.
    """
    with any_address(settings) as dsn:
        return asyncio.run(_migrate(dsn))


async def _migrate(dsn: str) -> list[str]:
    await require_supported(dsn)
    return await migrate(dsn)
