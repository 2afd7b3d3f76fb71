"""How does an operator's command work on the database of an installation?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import typer
import uvloop

import billwright.features
from billwright.features.tenancy.errors import tenant_unknown
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.database import Database
from billwright.runtime.db.inspection import (
    DatabaseUnusable,
    require_current_schema,
    require_supported,
    running_address,
)
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.runtime.settings import Settings, load_settings


def run_on_database(work: Callable[[Database], Awaitable[None]], *, connections: int = 1) -> int:
    """Do the work on the database of the settings; the exit code is 1 when it is refused.

    Raises `DatabaseUnusable` when there is none to work on, `SettingsError`.
    """
    settings = load_settings()
    owner = application = _address(settings)
    if settings.database_url is not None and settings.database_application_url is not None:
        application = settings.database_application_url.get_secret_value()
    try:
        uvloop.run(_run(work, owner=owner, application=application, connections=connections))
    except Refusal as refusal:
        typer.echo(refusal.detail, err=True)
        return 1
    return 0


def operator_tx(
    database: Database, tenant_id: TenantId, *, cause: str
) -> AbstractAsyncContextManager[Tx]:
    """A transaction in the operator's name, as the audit log has it."""
    return database.tx(tenant_id, actor=system_actor("command line"), cause=cause)


async def tenant_with(database: Database, code: str) -> TenantId:
    """The tenant that goes by the code. Refuses: `tenant_unknown`."""
    tenant_id = await database.tenant_by_code(code)
    if tenant_id is None:
        raise tenant_unknown(tenant_code=code)
    return tenant_id


def _address(settings: Settings) -> str:
    """The database of DATABASE_URL, else the embedded one that runs on the home.

    Not started here: beside it, `billwright up` could not start while the command runs.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    address = running_address(settings.billwright_home)
    if address is None:
        raise DatabaseUnusable(
            f"No database runs on {settings.billwright_home}. Start everything with "
            "`billwright up`, or set DATABASE_URL to the database of the installation."
        )
    return address


async def _run(
    work: Callable[[Database], Awaitable[None]],
    *,
    owner: str,
    application: str,
    connections: int,
) -> None:
    await require_current_schema(owner)
    await require_supported(application)  # that it lets us in is what may go wrong
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(application, outbox=outbox, size=connections)
    try:
        await work(database)
    finally:
        await database.close()
