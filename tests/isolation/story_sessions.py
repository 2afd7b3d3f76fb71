"""What leaves rows of sessions that were ended, and of tokens?"""

from __future__ import annotations

from billwright.features.identity.operations.create_token import create_token
from billwright.features.identity.operations.end_session import end_session
from tests.conftest import Tenant
from tests.features.identity.signing_in import a_session, a_user


async def sign_out(tenant: Tenant) -> None:
    """A user creates a token for a program, and signs out."""
    user = await a_user(tenant, "program@northlight.example")
    session = await a_session(tenant, user)
    async with tenant.tx() as tx:
        await create_token(tx, session, name="Reports", scopes=["invoices:read"], expires_at=None)
        await end_session(tx, session)
