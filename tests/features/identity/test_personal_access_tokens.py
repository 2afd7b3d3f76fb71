"""What are personal access tokens worth, and when no more?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from billwright.features.identity.model import CreatedToken, Role, SignInMethod, User
from billwright.features.identity.operations.authenticate_session import authenticate_session
from billwright.features.identity.operations.change_token import change_token
from billwright.features.identity.operations.create_token import create_token
from billwright.features.identity.operations.end_session import end_all_sessions
from billwright.features.identity.operations.exchange_token import exchange_token
from billwright.features.identity.operations.revoke_token import revoke_token
from billwright.features.identity.rules.token_scopes import (
    TOKEN_SCOPES,
    check_token_scopes,
    effective,
    grantable_by,
)
from billwright.features.identity.sql.reads_sessions import token_by_id, tokens_of
from billwright.kernel.actor import ActorToken
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON, Tenant
from tests.features.identity.signing_in import KEYS, a_session, a_user

READ = ["invoices:read"]


async def a_token(
    tenant: Tenant,
    user: User,
    *,
    name: str = "Reporting",
    scopes: Sequence[str] = READ,
    expires_at: datetime | None = None,
) -> CreatedToken:
    session = await a_session(tenant, user)
    async with tenant.tx() as tx:
        return await create_token(tx, session, name=name, scopes=scopes, expires_at=expires_at)


async def exchanged(tenant: Tenant, text: str) -> str | tuple[str, ...]:
    """What the session opens that a token is exchanged for, or the code of the refusal."""
    try:
        return (await exchange_token(tenant.tx, text, keys=KEYS)).scopes
    except Refusal as refusal:
        return refusal.code


async def session_text(tenant: Tenant, text: str) -> str:
    return (await exchange_token(tenant.tx, text, keys=KEYS)).access_token


async def answer(tenant: Tenant, text: str) -> str:
    try:
        async with tenant.tx() as tx:
            await authenticate_session(tx, text, keys=KEYS)
    except Refusal as refusal:
        return refusal.code
    return "open"


async def change(tenant: Tenant, user: User, **columns: object) -> None:
    for name, value in columns.items():
        async with tenant.tx() as tx:
            await tx.execute(f"update app_user set {name} = $2 where id = $1", user.id, value)


async def refused(tenant: Tenant, user: User, **token: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        await a_token(tenant, user, **token)
    return f"{refusal.value.category} {refusal.value.code}"


def test_there_are_24_scopes_of_which_users_give_13():
    assert len(TOKEN_SCOPES) == len(set(TOKEN_SCOPES)) == 24
    assert grantable_by(Role.ADMIN) == TOKEN_SCOPES
    assert len(grantable_by(Role.USER)) == 13
    assert grantable_by(Role.CONTROLLER) == grantable_by(Role.USER)
    assert "users:admin" not in grantable_by(Role.USER)
    for role in Role:
        for scope in TOKEN_SCOPES:
            given = effective([scope], role=role)
            assert given == ((scope,) if scope in grantable_by(role) else ())
            try:
                check_token_scopes([scope], role=role)
            except Refusal as refusal:
                assert (refusal.category, given) == ("forbidden", ())
            else:
                assert given == (scope,)


async def test_a_token_has_the_form_of_the_contract_and_is_stored_nowhere(
    tenant, postgres_server, migrated_database
):
    user = await a_user(tenant)
    expires_at = NOON + timedelta(days=1)
    created = await a_token(tenant, user, scopes=[*READ, *READ], expires_at=expires_at)
    assert re.fullmatch(r"fp_pat_[A-Za-z0-9_-]{43}", created.text)
    assert created.token.prefix == created.text[:15]
    async with tenant.tx() as tx:
        assert await tokens_of(tx, user.id, revoked_too=False) == [created.token]
    stored = created.token
    assert (stored.scopes, stored.expires_at, stored.created_at) == (tuple(READ), expires_at, NOON)
    name, secret = migrated_database.rpartition("/")[2], created.text[15:]
    for table in ("personal_access_token", "audit_entry", "event"):
        rows = postgres_server.execute(f"select t::text from {table} t", database=name)
        assert secret not in rows
        assert secret.encode().hex() not in rows


async def test_a_token_is_not_created_like_this(tenant):
    user = await a_user(tenant)
    assert await refused(tenant, user, name=" ") == "invalid token_name_missing"
    assert await refused(tenant, user, scopes=[]) == "invalid token_scopes_missing"
    assert await refused(tenant, user, scopes=["events:read"]) == "invalid token_scope_unknown"
    wide = [*READ, "users:admin"]
    assert await refused(tenant, user, scopes=wide) == "forbidden token_scope_not_grantable"
    assert await refused(tenant, user, expires_at=NOON) == "invalid token_expires_in_past"
    nobody = await a_user(tenant, "eve@northlight.example", has_password=False)
    assert await refused(tenant, nobody) == "invalid token_without_sign_in"
    elsewhere = await a_user(
        tenant, "zoe@northlight.example", has_password=False, oidc_subject="zoe"
    )
    assert (await a_token(tenant, elsewhere)).token.user_id == elsewhere.id


async def test_a_token_is_exchanged_for_a_session_of_its_scopes(tenant):
    user = await a_user(tenant)
    created = await a_token(tenant, user, scopes=["usage:read", *READ])
    got = await exchange_token(tenant.tx, created.text, keys=KEYS)
    async with tenant.tx() as tx:
        session = await authenticate_session(tx, got.access_token, keys=KEYS)
    assert (got.user, got.scopes) == (user, ("invoices:read", "usage:read"))
    assert (session.method, session.is_interactive) == (SignInMethod.TOKEN, False)
    assert session.scopes == frozenset(got.scopes)
    assert session.actor.token == ActorToken(created.token.id, created.token.name)
    assert session.user == user
    async with tenant.tx() as tx:
        entries = await tx.fetch("select action from audit_entry where action like 'token.%'")
    assert sorted(row["action"] for row in entries) == ["token.create", "token.exchange"]


async def test_whatever_is_wrong_with_a_token_is_not_told(tenant, other_tenant, clock):
    user = await a_user(tenant)
    text = (await a_token(tenant, user, expires_at=NOON + timedelta(hours=1))).text
    for wrong in ("", "fp_pat_", text[:-1], f"{text}=", f"{text[:-1]}\ud800", "x" * 50, f"é{text}"):
        assert await exchanged(tenant, wrong) == "token_invalid"
    assert await exchanged(other_tenant, text) == "token_invalid"
    for name, value in (("locked_at", NOON), ("email_confirmed_at", None)):
        await change(tenant, user, **{name: value})
        assert await exchanged(tenant, text) == "token_invalid", name
        await change(tenant, user, locked_at=None, email_confirmed_at=NOON)
        assert await exchanged(tenant, text) == tuple(READ)
    clock.move_to(NOON + timedelta(hours=1))
    assert await exchanged(tenant, text) == "token_invalid"


async def test_a_former_administrators_token_opens_what_users_give(tenant):
    user = await a_user(tenant, role=Role.ADMIN)
    mixed = await a_token(tenant, user, scopes=["users:admin", *READ])
    admins = await a_token(tenant, user, scopes=["users:admin"])
    before = await session_text(tenant, mixed.text)
    await change(tenant, user, role="user")
    assert await answer(tenant, before) == "session_over"
    assert await exchanged(tenant, mixed.text) == tuple(READ)
    assert await exchanged(tenant, admins.text) == "token_invalid"
    after = await session_text(tenant, mixed.text)
    await change(tenant, user, role="admin")
    assert await answer(tenant, after) == "session_over"


async def test_a_session_goes_on_with_its_token_only(tenant, clock):
    user = await a_user(tenant)
    created = await a_token(tenant, user, expires_at=NOON + timedelta(hours=1))
    session, text = await a_session(tenant, user), await session_text(tenant, created.text)

    async def now_with(*scopes: str) -> str:
        async with tenant.tx() as tx:
            await change_token(tx, created.token.id, session=session, name="Reports", scopes=scopes)
        return await answer(tenant, text)

    assert await now_with("invoices:read", "usage:read") == "session_over"
    assert await now_with("usage:read") == "session_over"
    assert await now_with("invoices:read") == "open"
    clock.move_to(NOON + timedelta(hours=1))
    assert await answer(tenant, text) == "session_over"
    clock.move_to(NOON)
    async with tenant.tx() as tx:
        await end_all_sessions(tx, user.id)
    assert await answer(tenant, text) == "session_over"
    fresh = await session_text(tenant, created.text)
    async with tenant.tx() as tx:
        await revoke_token(tx, user_id=user.id, token_id=created.token.id)
    assert await answer(tenant, fresh) == "session_over"
    assert await exchanged(tenant, created.text) == "token_invalid"


async def test_a_token_is_changed_until_it_is_revoked(tenant):
    user = await a_user(tenant)
    created, session = await a_token(tenant, user), await a_session(tenant, user)
    async with tenant.tx() as tx:
        changed = await change_token(
            tx, created.token.id, session=session, name="Usage", scopes=["usage:read"]
        )
        assert changed == await token_by_id(tx, created.token.id, user_id=user.id)
    assert (changed.name, changed.scopes) == ("Usage", ("usage:read",))
    assert await exchanged(tenant, created.text) == ("usage:read",)
    async with tenant.tx() as tx:
        with pytest.raises(Refusal) as refusal:
            await change_token(
                tx, changed.id, session=session, name="Usage", scopes=["users:admin"]
            )
    assert refusal.value.code == "token_scope_not_grantable"
    async with tenant.tx() as tx:
        await revoke_token(tx, user_id=user.id, token_id=changed.id)
        await revoke_token(tx, user_id=user.id, token_id=changed.id)
        with pytest.raises(Refusal) as refusal:
            await change_token(tx, changed.id, session=session, name="Usage", scopes=READ)
        assert await tokens_of(tx, user.id, revoked_too=False) == []
        [revoked] = await tokens_of(tx, user.id, revoked_too=True)
        count = "select count(*) from audit_entry where action = 'token.revoke'"
    assert (refusal.value.code, revoked.revoked_at) == ("token_unknown", NOON)
    async with tenant.tx() as tx:
        assert await tx.fetch_value(count) == 1


async def test_nobody_elses_token_is_there(tenant, other_tenant):
    user, other = await a_user(tenant), await a_user(tenant, "bob@northlight.example")
    stranger = await a_user(other_tenant)
    created = await a_token(tenant, user)
    for place, somebody in ((tenant, other), (other_tenant, stranger), (other_tenant, user)):
        async with place.tx() as tx:
            assert await tokens_of(tx, somebody.id, revoked_too=True) == []
            with pytest.raises(Refusal, match="There is no token"):
                await revoke_token(tx, user_id=somebody.id, token_id=created.token.id)
    session = await a_session(tenant, other)
    async with tenant.tx() as tx:
        with pytest.raises(Refusal, match="There is no token"):
            await change_token(tx, created.token.id, session=session, name="Mine", scopes=READ)
    assert await exchanged(tenant, created.text) == tuple(READ)


async def test_tokens_are_listed_newest_first(tenant, clock):
    user = await a_user(tenant)
    for name in ("first", "second"):
        await a_token(tenant, user, name=name, expires_at=NOON + timedelta(hours=1))
    clock.move_to(NOON + timedelta(hours=2))
    async with tenant.tx() as tx:
        tokens = await tokens_of(tx, user.id, revoked_too=False)
    assert [token.name for token in tokens] == ["second", "first"]


async def test_a_use_is_written_down_at_exchange_and_every_five_minutes(tenant, clock):
    user = await a_user(tenant)
    created = await a_token(tenant, user)
    text = await session_text(tenant, created.text)

    async def last_used_after(passed: timedelta, text: str = text) -> timedelta:
        clock.move_to(NOON + passed)
        assert await answer(tenant, text) == "open"
        async with tenant.tx() as tx:
            token = await token_by_id(tx, created.token.id, user_id=user.id)
        assert token.last_used_at is not None
        return token.last_used_at - NOON

    five = timedelta(minutes=5)
    assert await last_used_after(timedelta(0)) == timedelta(0)
    assert await last_used_after(five - timedelta(seconds=1)) == timedelta(0)
    assert await last_used_after(five) == five
    clock.move_to(NOON + five + timedelta(seconds=1))
    again = await session_text(tenant, created.text)
    assert await last_used_after(five + timedelta(seconds=2), again) == five + timedelta(seconds=1)
