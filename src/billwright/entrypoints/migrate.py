"""How does an operator bring the schema up to date?"""

from __future__ import annotations

import asyncio

from billwright.entrypoints.configured_tenants import create_missing_tenants
from billwright.entrypoints.database_address import any_address
from billwright.runtime.db.inspection import require_supported
from billwright.runtime.db.migrate import migrate
from billwright.runtime.settings import Settings


def migrate_configured(settings: Settings) -> list[str]:
    """Migrate the database of the settings, embedded or not; returns the steps taken. The tenants that
    TENANTS names exist then as well.

    Raises `DatabaseUnusable` when it is out of reach or of a version that is not supported.
    """
    with any_address(settings) as dsn:
        return asyncio.run(_migrate(settings, dsn=dsn))


async def _migrate(settings: Settings, *, dsn: str) -> list[str]:
    await require_supported(dsn)
    steps = await migrate(dsn)
    if settings.names_tenants:
        await create_missing_tenants(settings, dsn=dsn)
    return steps
