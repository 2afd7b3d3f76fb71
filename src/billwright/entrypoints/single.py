"""How does one process of a larger installation run, which a process supervisor starts?"""

from __future__ import annotations

import uvloop

from billwright.entrypoints.configured_tenants import create_missing_tenants
from billwright.entrypoints.database_address import application_address, configured_address
from billwright.entrypoints.listening import listening_socket
from billwright.entrypoints.stopping import stop_requested
from billwright.runtime.db.inspection import require_current_schema, require_supported
from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.logs import configure_logs


def run_api(settings: Settings) -> None:
    """Answer HTTP until a signal comes."""
    from billwright.entrypoints.api import Api  # noqa: PLC0415 - the worker does without it

    configure_logs(settings.log_format, settings.log_level)
    dsn = configured_address(settings)
    listener = listening_socket(settings.host, port=settings.port)
    api = Api(settings)

    async def run() -> None:
        stop = stop_requested()
        await require_current_schema(dsn)
        await require_supported(application_address(settings))
        if settings.names_tenants:
            await create_missing_tenants(settings, dsn=dsn)
        await api.run(application_address(settings), listener=listener, stop=stop)

    uvloop.run(run())


def run_worker(settings: Settings) -> None:
    """Work in the background until a signal comes."""
    from billwright.entrypoints.worker import BackgroundWork  # noqa: PLC0415

    configure_logs(settings.log_format, settings.log_level)
    dsn = configured_address(settings)
    work = BackgroundWork(settings)

    async def run() -> None:
        stop = stop_requested()
        await require_current_schema(dsn)
        await require_supported(application_address(settings))
        await work.run(application_address(settings), stop=stop)

    uvloop.run(run())
