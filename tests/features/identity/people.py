"""Who are the users of the tests, and what is asked about them?"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from billwright.features.identity.model import CodePurpose, Role, User
from billwright.features.identity.operations.create_user import create_user
from billwright.features.identity.operations.issue_code import issue_code
from billwright.features.identity.operations.register_user import register_user
from billwright.kernel.actor import Actor, ActorKind
from billwright.kernel.refusal import Refusal
from tests.conftest import BOX, Tenant

PASSWORD = "correct horse battery"
ADMIN = "ada@northlight.example"


async def an_admin(tenant: Tenant, email: str = ADMIN) -> User:
    """The tenant's first user."""
    return (await register_user(tenant.tx, email=email, password=PASSWORD, locale="en")).user


async def a_user(tenant: Tenant, email: str, *, role: Role | None = None) -> User:
    """A user of a tenant that has an administrator; the address is not confirmed."""
    return await create_user(tenant.tx, email=email, password=PASSWORD, role=role, locale="de")


async def mailed(
    tenant: Tenant, user_id: UUID, purpose: CodePurpose = CodePurpose.CONFIRM_EMAIL
) -> str:
    """The code of a message that is delivered now."""
    async with tenant.tx() as tx:
        return await issue_code(tx, user_id, box=BOX, purpose=purpose)


async def code_of(awaitable) -> str:
    """The code of the refusal that something ends with."""
    with pytest.raises(Refusal) as refusal:
        await awaitable
    return refusal.value.code


async def events_of(tenant: Tenant, user_id: UUID) -> list[tuple[str, dict]]:
    """What has been published about a user, in order, less the prefix of the type."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select type, data from event where tenant_id = $1 and subject_id = $2
               order by position, id""",
            tenant.id,
            user_id,
        )
    return [(row["type"].removeprefix("user."), json.loads(row["data"])) for row in rows]


async def types_of(tenant: Tenant, user_id: UUID) -> list[str]:
    return [kind for kind, _ in await events_of(tenant, user_id)]


async def audited(tenant: Tenant, action: str) -> list[tuple[str, UUID, dict]]:
    """The entries of an action: about what, about which, and the details."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select subject_type, subject_id, details from audit_entry
               where tenant_id = $1 and action = $2 order by id""",
            tenant.id,
            action,
        )
    return [(row["subject_type"], row["subject_id"], json.loads(row["details"])) for row in rows]


def as_user(tenant: Tenant, user: User):
    """The way to work for the tenant in a user's name."""

    @asynccontextmanager
    async def open_tx():
        actor = Actor(ActorKind.USER, user.email, user.id)
        async with tenant.database.tx(tenant.id, actor=actor, cause="test") as tx:
            yield tx

    return open_tx


def together(tenant: Tenant, parties: int):
    """The way to work for the tenant for several who open each of their transactions at once."""
    opened = asyncio.Barrier(parties)

    @asynccontextmanager
    async def open_tx():
        async with tenant.tx() as tx:
            await opened.wait()
            yield tx

    return open_tx
