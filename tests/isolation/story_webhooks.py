"""What leaves rows in the tables of webhooks, and of what a notification service does not want?"""

from __future__ import annotations

from billwright.features.notifications.sql.writes import stop_types
from tests.conftest import Tenant
from tests.features.webhooks.listening import ScriptedSender, an_endpoint, dispatch, happen


async def listen(tenant: Tenant) -> None:
    """A system is told of something, and the notification service stops a type."""
    await an_endpoint(tenant)
    await happen(tenant, "retired")
    await dispatch(tenant, ScriptedSender())
    async with tenant.tx() as tx:
        await stop_types(tx, {"invoice.finalized"})
