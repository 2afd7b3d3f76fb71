"""Who is it for whom an OpenID Connect server vouches?"""

from __future__ import annotations

import asyncio

import pytest

from billwright.features.identity.model import Role
from billwright.features.identity.operations.create_user import create_user
from billwright.features.identity.operations.lock_user import lock_user
from billwright.features.identity.operations.sync_oidc_user import sync_oidc_user
from billwright.features.identity.rules.oidc_user import addresses_for
from billwright.features.identity.sql.reads_users import list_users, user_by_id
from tests.conftest import NOON
from tests.features.identity.people import (
    ADMIN,
    a_user,
    an_admin,
    code_of,
    events_of,
    mailed,
    types_of,
)

BO = "bo@northlight.example"


async def synced(tenant, subject="subject-1", *, email=BO, verified=True, username=None):
    async with tenant.tx() as tx:
        return await sync_oidc_user(
            tx,
            subject=subject,
            email=email,
            email_verified=verified,
            preferred_username=username,
            locale="en",
        )


async def test_a_subject_becomes_a_user_once_and_nothing_more_is_written(tenant, clock):
    await an_admin(tenant)
    user = await synced(tenant, email=BO.upper())
    assert (user.email, user.role, user.has_password) == (BO, Role.USER, False)
    assert user.email_confirmed_at == NOON
    assert await types_of(tenant, user.id) == ["created"]

    async def written() -> list[int]:
        async with tenant.tx() as tx:
            return [
                await tx.fetch_value(f"select count(*) from {table}")
                for table in ("event", "audit_entry")
            ] + [await tx.fetch_value("select xmin::text from app_user where id = $1", user.id)]

    before = await written()
    clock.move_to(NOON.replace(hour=13))
    assert await synced(tenant) == user
    assert await synced(tenant, email="another@northlight.example") == user
    assert await written() == before


async def test_the_first_one_is_the_administrator_also_of_many_at_once(tenant):
    users = await asyncio.gather(
        *(synced(tenant, f"subject-{number}", email=None) for number in range(4))
    )
    assert [user.role for user in users].count(Role.ADMIN) == 1


@pytest.mark.parametrize("has_admin", [True, False])
async def test_the_first_requests_of_one_user_make_one_user(tenant, has_admin):
    if has_admin:
        await an_admin(tenant)
    users = await asyncio.gather(*(synced(tenant) for _ in range(5)))
    assert users == [users[0]] * 5
    assert await types_of(tenant, users[0].id) == ["created"]


async def test_a_verified_address_leads_to_the_user_who_has_it(tenant):
    admin = await an_admin(tenant)
    users = await asyncio.gather(*(synced(tenant, email=ADMIN) for _ in range(3)))
    assert {user.id for user in users} == {admin.id}
    assert (users[0].oidc_subject, users[0].has_password) == ("subject-1", True)
    assert users[0].token_version == admin.token_version
    assert await synced(tenant, email=None) == users[0]


async def test_an_address_that_is_not_verified_leads_nowhere(tenant):
    admin = await an_admin(tenant)
    user = await synced(tenant, email=ADMIN, verified=False, username="ada")
    assert (user.email, user.email_confirmed_at, user.role) == ("ada", None, Role.USER)
    nameless = await synced(tenant, "Subject-2", email=ADMIN, verified=False, username=ADMIN)
    assert nameless.email == "subject-2@keycloak"
    async with tenant.tx() as tx:
        assert await user_by_id(tx, admin.id) == admin


async def test_an_address_of_another_subject_leads_nowhere(tenant):
    await an_admin(tenant)
    first = await synced(tenant, "subject-1")
    second = await synced(tenant, "subject-2")
    assert (second.email, second.email_confirmed_at) == ("subject-2@keycloak", None)
    assert await synced(tenant, "subject-1") == first
    third = await code_of(synced(tenant, "SUBJECT-2", email=None))
    assert third == "email_taken"


async def test_a_password_that_was_set_before_the_address_was_proven_goes(tenant):
    await an_admin(tenant)
    squatted = await a_user(tenant, BO)
    await mailed(tenant, squatted.id)
    user = await synced(tenant)
    assert user.id == squatted.id
    assert (user.has_password, user.email_confirmed_at) == (False, NOON)
    assert user.token_version == squatted.token_version + 1
    kind, data = (await events_of(tenant, user.id))[-1]
    assert (kind, data["changed"]) == ("updated", ["password"])
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from one_time_code") == 0


async def test_an_address_is_confirmed_when_the_server_has_verified_it(tenant):
    await an_admin(tenant)
    user = await synced(tenant, verified=False)
    assert user.email_confirmed_at is None
    assert (await synced(tenant)).email_confirmed_at == NOON
    assert (await synced(tenant, verified=False)).email_confirmed_at == NOON


async def test_who_is_locked_stays_out_known_by_subject_or_by_address(tenant):
    await an_admin(tenant)
    known, unlinked = await synced(tenant), await a_user(tenant, "cy@northlight.example")
    async with tenant.tx() as tx:
        await lock_user(tx, known.id)
        await lock_user(tx, unlinked.id)
    assert await code_of(synced(tenant)) == "user_locked"
    assert await code_of(synced(tenant, "subject-2", email=unlinked.email)) == "user_locked"
    async with tenant.tx() as tx:
        assert (await user_by_id(tx, unlinked.id)).oidc_subject is None


async def test_a_subject_is_somebody_else_at_another_tenant(tenant, other_tenant):
    await an_admin(tenant)
    await an_admin(other_tenant)
    user, elsewhere = await synced(tenant), await synced(other_tenant)
    assert user.id != elsewhere.id
    async with other_tenant.tx() as tx:
        assert user.id not in {one.id for one in await list_users(tx, limit=10, offset=0)}


async def test_a_user_of_a_server_takes_no_address_for_a_password(tenant):
    await an_admin(tenant)
    await synced(tenant)
    adding = create_user(tenant.tx, email=BO, password="x" * 8, role=None, locale="en")
    assert await code_of(adding) == "email_taken"


def test_a_claim_that_is_no_word_is_no_address():
    claims = {"email": "a b@x.example", "preferred_username": "\x00" + "x" * 9}
    assert addresses_for("S", **claims) == ("s@keycloak",)
    assert addresses_for("S", email="A@x.example", preferred_username="a@X.example") == (
        "a@x.example",
        "s@keycloak",
    )
