"""Which keys open the door, and to whom?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.identity.errors import credential_missing, scope_missing
from billwright.features.identity.model import FULL_ACCESS, READ_ACCESS
from billwright.features.identity.operations.authenticate import authenticate
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.identity.operations.rename_api_key import rename_api_key
from billwright.features.identity.operations.revoke_api_key import revoke_api_key
from billwright.features.identity.rules.key_text import key_text, parse_key_text
from billwright.features.identity.sql.reads import api_keys
from billwright.kernel.actor import ActorKind
from billwright.kernel.ids import TenantId
from billwright.kernel.refusal import Refusal


async def refused(database, text: str) -> str:
    with pytest.raises(Refusal) as refusal:
        await authenticate(database, text)
    return refusal.value.code


async def test_a_key_names_its_tenant_and_its_scopes(tenant):
    async with tenant.tx() as tx:
        text = (await create_api_key(tx, name="platform", scopes=[READ_ACCESS])).text
    caller = await authenticate(tenant.database, text)
    assert (caller.tenant_id, caller.scopes) == (tenant.id, {READ_ACCESS})
    assert (caller.actor.kind, caller.actor.name) == (ActorKind.API_KEY, "platform")


async def test_the_text_of_a_key_is_stored_nowhere(tenant, postgres_server, migrated_database):
    async with tenant.tx() as tx:
        text = (await create_api_key(tx, name="platform")).text
    name = migrated_database.rpartition("/")[2]
    secret = text[26:]
    for table in ("api_key", "audit_entry", "event"):
        rows = postgres_server.execute(f"select t::text from {table} t", database=name)
        assert secret not in rows
        assert secret.encode().hex() not in rows


async def test_a_revoked_an_expired_and_a_forged_key_are_told_apart_from_nothing(tenant, clock):
    async with tenant.tx() as tx:
        revoked = (await create_api_key(tx, name="revoked")).text
        key_id = await tx.fetch_value("select id from api_key")
        expires_at = tx.now + timedelta(hours=1)
        expired = (await create_api_key(tx, name="expired", expires_at=expires_at)).text
    clock.move_to(expires_at)
    async with tenant.tx() as tx:
        await revoke_api_key(tx, key_id)
        await revoke_api_key(tx, key_id)
    forged = expired[:-1] + ("A" if expired[-1] != "A" else "B")
    for text in (revoked, expired, forged, "", "bw_", "x" * 70, f"{expired}é", "bw_" + "é" * 65):
        assert await refused(tenant.database, text) == "credential_invalid"
    async with tenant.tx() as tx:
        actions = await tx.fetch("select action from audit_entry where action like 'api_key%'")
    assert [row["action"] for row in actions].count("api_key.revoke") == 1
    clock.move_to(clock.now() - timedelta(seconds=1))
    assert (await authenticate(tenant.database, expired)).tenant_id == tenant.id


async def test_a_key_is_worth_nothing_under_another_tenant(tenant, other_tenant):
    async with tenant.tx() as tx:
        text = (await create_api_key(tx, name="platform")).text
        own_id = await tx.fetch_value("select id from api_key")
    elsewhere = key_text(other_tenant.id, secret=text[26:])
    assert await refused(tenant.database, elsewhere.text) == "credential_invalid"
    async with other_tenant.tx() as tx:
        with pytest.raises(Refusal) as refusal:
            await revoke_api_key(tx, own_id)
        assert (refusal.value.code, refusal.value.facts) == (
            "api_key_unknown",
            {"api_key_id": own_id},
        )
        assert await api_keys(tx) == []
    assert (await authenticate(tenant.database, text)).tenant_id == tenant.id


async def test_keys_are_listed_with_everything_but_their_text(tenant, clock):
    async with tenant.tx() as tx:
        created_at, expires_at = tx.now, tx.now + timedelta(days=30)
        text = (
            await create_api_key(tx, name="reports", scopes=[READ_ACCESS], expires_at=expires_at)
        ).text
        await create_api_key(tx, name="platform")
        (first, second) = await api_keys(tx)
    assert (first.name, first.hint, first.scopes) == ("reports", text[-4:], (READ_ACCESS,))
    assert (first.created_at, first.expires_at, first.revoked_at) == (created_at, expires_at, None)
    assert (second.scopes, second.expires_at) == ((FULL_ACCESS,), None)
    clock.move_to(created_at + timedelta(days=1))
    async with tenant.tx() as tx:
        await revoke_api_key(tx, second.id)
        assert (await api_keys(tx))[1].revoked_at == tx.now


async def test_a_key_gives_no_more_than_it_has(tenant, clock):
    async with tenant.tx() as tx:
        scopes = ["api_keys:write", "invoices:write", "billing:read"]
        text = (await create_api_key(tx, name="admin", scopes=scopes)).text
    caller = await authenticate(tenant.database, text)

    async def give(*scopes: str) -> str | None:
        async with tenant.database.tx(tenant.id, actor=caller.actor, cause="test") as tx:
            try:
                await create_api_key(tx, name="given", scopes=scopes)
            except Refusal as refusal:
                assert refusal.category == "forbidden"
                return f"{refusal.code} {refusal.facts['scope']}"
        return None

    for scope in (
        "invoices:read",
        "invoices:write",
        "payments:read",
        "api_keys:write",
        READ_ACCESS,
    ):
        assert await give(scope) is None
    assert await give("invoices:read", "payments:write") == "scope_not_held payments:write"
    assert await give(FULL_ACCESS) == f"scope_not_held {FULL_ACCESS}"
    async with tenant.tx() as tx:
        await revoke_api_key(tx, caller.actor.id)
    assert await give("invoices:read") == "scope_not_held invoices:read"


async def test_a_use_is_written_down_once_an_hour(tenant, clock):
    async with tenant.tx() as tx:
        text = (await create_api_key(tx, name="platform")).text
        began = tx.now

    async def last_used_after(passed: timedelta):
        clock.move_to(began + passed)
        await authenticate(tenant.database, text)
        async with tenant.tx() as tx:
            [key] = await api_keys(tx)
        return key.last_used_at - began

    hour = timedelta(hours=1)
    assert await last_used_after(timedelta(0)) == timedelta(0)
    assert await last_used_after(hour - timedelta(microseconds=1)) == timedelta(0)
    assert await last_used_after(hour) == hour


async def test_a_caller_does_not_wait_for_what_happens_to_its_key(tenant):
    async with tenant.tx() as tx:
        text = (await create_api_key(tx, name="platform")).text
        key_id = await tx.fetch_value("select id from api_key")
    async with tenant.tx() as tx:
        await rename_api_key(tx, key_id, name="renamed")
        assert (await authenticate(tenant.database, text)).actor.name == "platform"
    async with tenant.tx() as tx:
        [key] = await api_keys(tx)
    assert (key.name, key.last_used_at) == ("renamed", None)


@pytest.mark.parametrize(
    ("name", "scopes", "life", "code"),
    [
        (" ", [FULL_ACCESS], None, "api_key_name_missing"),
        ("platform", [READ_ACCESS, "billing:all"], None, "scope_unknown"),
        ("platform", [FULL_ACCESS], timedelta(0), "api_key_expires_in_past"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(tenant, name, scopes, life, code):
    async with tenant.tx() as tx:
        expires_at = None if life is None else tx.now + life
        with pytest.raises(Refusal) as refusal:
            await create_api_key(tx, name=name, scopes=scopes, expires_at=expires_at)
        assert (refusal.value.code, refusal.value.category) == (code, "invalid")
        assert await api_keys(tx) == []


@given(st.uuids(), st.text("abcXYZ019-_", min_size=40, max_size=46))
def test_a_key_can_be_read_back(tenant_id, secret):
    key = key_text(TenantId(tenant_id), secret=secret)
    assert parse_key_text(key.text) == key
    assert key.hint == secret[-4:]


@given(st.text(max_size=90) | st.text(max_size=90).map(lambda text: f"bw_{text}"))
def test_any_text_is_a_key_or_none(text):
    key = parse_key_text(text)
    assert key is None or key.text == text


def test_the_other_refusals_say_what_is_missing():
    assert credential_missing().category == "unauthenticated"
    assert scope_missing(scope=FULL_ACCESS).facts == {"scope": FULL_ACCESS}
