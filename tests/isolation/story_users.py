"""What leaves a row of somebody who signs in, and of a code that was mailed?"""

from __future__ import annotations

from tests.conftest import Tenant
from tests.features.identity.people import a_user, mailed


async def let_in(tenant: Tenant) -> None:
    """Somebody is let in, and a code is mailed to confirm the address."""
    user = await a_user(tenant, "bo@northlight.example")
    await mailed(tenant, user.id)
