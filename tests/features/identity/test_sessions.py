"""Whose sessions go on, and whose are over?"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.identity.jobs import forget_ended_sessions
from billwright.features.identity.model import Role, SignInMethod, User
from billwright.features.identity.operations.authenticate_session import authenticate_session
from billwright.features.identity.operations.end_session import end_all_sessions, end_session
from billwright.features.identity.operations.session_keys import SessionKeys, session_keys
from billwright.features.identity.rules.claims import read_claims
from billwright.kernel.refusal import Refusal
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, NOON, Tenant
from tests.features.identity.signing_in import (
    KEYS,
    SECRET,
    a_session,
    a_session_text,
    a_user,
    signed,
)

SEVEN_DAYS = timedelta(days=7)
CLAIM_NAMES = st.sampled_from(["sub", "exp", "tv", "amr", "jti", "scopes", "patId"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.uuids().map(str)
ANY_JSON = SCALARS | st.lists(SCALARS | st.just("pat"), max_size=3)


def claims_of(user: User) -> dict[str, Any]:
    now = int(NOON.timestamp())
    return {
        "sub": str(user.id),
        "email": user.email,
        "roles": ["user"],
        "amr": ["pwd"],
        "tv": 0,
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + 3600,
    }


def read(text: str) -> dict[str, Any]:
    payload = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def answer(tenant: Tenant, text: str, *, keys: SessionKeys = KEYS) -> str:
    """The code of the refusal, or `open`."""
    try:
        async with tenant.tx() as tx:
            await authenticate_session(tx, text, keys=keys)
    except Refusal as refusal:
        return refusal.code
    return "open"


async def change(tenant: Tenant, user: User, **columns: object) -> None:
    for name, value in columns.items():
        async with tenant.tx() as tx:
            await tx.execute(f"update app_user set {name} = $2 where id = $1", user.id, value)


async def test_a_session_says_what_the_contract_says(tenant):
    user = await a_user(tenant, role=Role.ADMIN)
    claims = read(a_session_text(user, NOON))
    assert str(UUID(claims.pop("jti"), version=4))
    assert claims == {
        "sub": str(user.id),
        "email": user.email,
        "roles": ["admin"],
        "amr": ["pwd"],
        "tv": 0,
        "iat": int(NOON.timestamp()),
        "exp": int((NOON + SEVEN_DAYS).timestamp()),
    }


async def test_a_session_lasts_for_seven_days(tenant, clock):
    text = a_session_text(await a_user(tenant), NOON)
    clock.move_to(NOON + SEVEN_DAYS - timedelta(microseconds=1))
    assert await answer(tenant, text) == "open"
    clock.move_to(NOON + SEVEN_DAYS)
    assert await answer(tenant, text) == "session_invalid"


async def test_the_address_and_the_role_are_those_of_now(tenant):
    user = await a_user(tenant, role=Role.ADMIN)
    text = a_session_text(user, NOON)
    await change(tenant, user, email="ada@riverbank.example", role="user")
    async with tenant.tx() as tx:
        session = await authenticate_session(tx, text, keys=KEYS)
    assert (session.user.email, session.user.role) == ("ada@riverbank.example", Role.USER)
    assert (session.method, session.is_interactive) == (SignInMethod.PASSWORD, True)


async def test_what_was_not_signed_here_is_worth_nothing(tenant):
    claims = claims_of(await a_user(tenant))
    head, body, signature = signed(claims).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for text in (
        "",
        "x",
        "a.b.c",
        "é.é.é",
        f"{head}.{body}.",
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{body}.{signature[:-2]}AA",
        f"{head}.{body[:-4]}AAAA.{signature}",
        signed(claims, secret=b"another secret of thirty-two bytes"),
        signed(claims, algorithm="HS512"),
    ):
        assert await answer(tenant, text) == "session_invalid", text
    assert await answer(tenant, signed(claims)) == "open"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": None},
        {"sub": 7},
        {"sub": "ada@northlight.example"},
        {"sub": "{019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41}"},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": 10**30},
        {"exp": int(NOON.timestamp())},
        {"tv": "0"},
        {"tv": False},
        {"tv": None},
        {"jti": 7},
        {"jti": "once"},
        {"jti": None},
        {"amr": "pwd"},
        {"amr": []},
        {"amr": ["otp"]},
        {"amr": ["pwd", 7]},
        {"amr": None},
        {"amr": ["pat"]},
        {"amr": ["pat"], "scopes": ["invoices:read"]},
        {"amr": ["pat"], "patId": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"},
        {"amr": ["pat"], "scopes": "invoices:read", "patId": str(uuid4())},
    ],
)
async def test_a_claim_of_another_type_is_no_claim(tenant, wrong):
    claims = claims_of(await a_user(tenant))
    assert await answer(tenant, signed(claims | wrong)) == "session_invalid"


async def test_claims_that_did_not_exist_always_may_be_missing(tenant):
    user = await a_user(tenant)
    claims = claims_of(user)
    for name in ("amr", "tv", "jti", "iat", "roles", "email"):
        less = {key: value for key, value in claims.items() if key != name}
        assert await answer(tenant, signed(less)) == "open", name
    for name in ("sub", "exp"):
        less = {key: value for key, value in claims.items() if key != name}
        assert await answer(tenant, signed(less)) == "session_invalid", name
    await change(tenant, user, token_version=1)
    del claims["tv"]
    assert await answer(tenant, signed(claims)) == "session_over"


@given(st.dictionaries(CLAIM_NAMES, ANY_JSON, max_size=7), st.text(max_size=80))
def test_nothing_that_is_sent_is_more_than_refused(claims: dict[str, Any], text: str):
    """A text that somebody else made up, and one of our own that says strange things."""
    believed = read_claims(claims)
    assert KEYS.read(signed(claims)) == believed
    assert believed is None or claims.keys() >= {"sub", "exp"}
    for other in (text, f"{text}.{text}.{text}", signed(claims, secret=b"x" * 32)):
        assert KEYS.read(other) is None


async def test_a_session_that_was_ended_is_over_at_once_and_no_other(tenant):
    user = await a_user(tenant)
    text, other = a_session_text(user, NOON), a_session_text(user, NOON)
    async with tenant.tx() as tx:
        session = await authenticate_session(tx, text, keys=KEYS)
        await end_session(tx, session)
        await end_session(tx, session)
    assert (await answer(tenant, text), await answer(tenant, other)) == ("session_over", "open")
    async with tenant.tx() as tx:
        ended = await tx.fetch("select subject_id from audit_entry where action = 'session.end'")
    assert [row["subject_id"] for row in ended] == [user.id]


async def test_all_sessions_end_together(tenant):
    user, somebody_else = await a_user(tenant), await a_user(tenant, "bob@northlight.example")
    texts = [a_session_text(user, NOON) for _ in range(2)]
    other = a_session_text(somebody_else, NOON)
    async with tenant.tx() as tx:
        await end_all_sessions(tx, user.id)
    assert [await answer(tenant, text) for text in texts] == ["session_over"] * 2
    assert await answer(tenant, other) == "open"
    assert await answer(tenant, a_session_text(replace(user, token_version=1), NOON)) == "open"


async def test_a_session_without_an_id_ends_with_all_others(tenant):
    user = await a_user(tenant)
    text, claims = a_session_text(user, NOON), claims_of(user)
    del claims["jti"]
    async with tenant.tx() as tx:
        await end_session(tx, await authenticate_session(tx, signed(claims), keys=KEYS))
    assert await answer(tenant, signed(claims)) == "session_over"
    assert await answer(tenant, text) == "session_over"


async def test_who_is_locked_is_told_so_until_unlocked(tenant):
    user = await a_user(tenant)
    text = a_session_text(user, NOON)
    await change(tenant, user, locked_at=NOON)
    assert await answer(tenant, text) == "user_locked"
    await change(tenant, user, locked_at=None)
    assert await answer(tenant, text) == "open"


async def test_a_session_is_over_with_its_user_and_at_another_tenant(tenant, other_tenant):
    user = await a_user(tenant)
    text = a_session_text(user, NOON)
    assert await answer(other_tenant, text) == "session_over"
    async with other_tenant.tx() as tx:
        with pytest.raises(Refusal, match="no user"):
            await end_all_sessions(tx, user.id)
    async with other_tenant.tx() as tx:
        await end_session(tx, await a_session(tenant, user))
    assert await answer(tenant, text) == "open"
    async with tenant.tx() as tx:
        await tx.execute("delete from app_user where id = $1", user.id)
    assert await answer(tenant, text) == "session_over"


async def test_ended_sessions_are_forgotten_when_they_would_be_over_anyway(tenant, clock):
    user = await a_user(tenant)
    text = a_session_text(user, NOON)
    async with tenant.tx() as tx:
        await end_session(tx, await authenticate_session(tx, text, keys=KEYS))
    clock.move_to(NOON + SEVEN_DAYS - timedelta(microseconds=1))
    assert await forget_ended_sessions(tenant.work()) == 0
    assert await answer(tenant, text) == "session_over"
    clock.move_to(NOON + SEVEN_DAYS)
    assert await forget_ended_sessions(tenant.work()) == 1
    assert await answer(tenant, text) == "session_invalid"


async def test_the_keys_follow_from_the_secret_or_from_the_encryption_key(tenant):
    text = a_session_text(await a_user(tenant), NOON)
    same = session_keys(BOX, secret=f" {SECRET.decode()}\n")
    assert await answer(tenant, text, keys=same) == "open"
    derived, again = (
        session_keys(BOX, secret=None),
        session_keys(SecretBox(bytes(range(32))), secret=None),
    )
    mine = derived.sign(read(text))
    assert await answer(tenant, mine, keys=again) == "open"
    assert await answer(tenant, mine) == "session_invalid"
    retired = session_keys(SecretBox(bytes(range(1, 33)), [bytes(range(32))]), secret=None)
    assert await answer(tenant, mine, keys=retired) == "session_invalid"
