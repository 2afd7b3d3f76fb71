"""What leaves a row of how often somebody asked?"""

from __future__ import annotations

from billwright.runtime.counting import CountsInDatabase, CountsInMemory
from tests.conftest import Tenant


async def be_counted(tenant: Tenant) -> None:
    """Somebody asks the tenant for something."""
    async with tenant.tx() as tx:
        code = await tx.fetch_value("select code from tenant where tenant_id = $1", tenant.id)
    counts = CountsInDatabase(tenant.database, otherwise=CountsInMemory())
    await counts.add(b"somebody", tenant=code, seconds=60)
