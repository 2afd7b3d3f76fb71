"""Whom does a password let in, and what does a stranger learn by trying?"""

from __future__ import annotations

import asyncio
import time
from statistics import median

import bcrypt
import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from billwright.features.identity.errors import email_not_confirmed, user_locked
from billwright.features.identity.model import CodePurpose, Role
from billwright.features.identity.operations import sign_in as signing_in
from billwright.features.identity.operations.change_password import change_password
from billwright.features.identity.operations.lock_user import lock_user
from billwright.features.identity.operations.passwords import (
    PasswordCheck,
    hash_password,
    password_is,
)
from billwright.features.identity.operations.register_user import register_user
from billwright.features.identity.operations.request_password_reset import request_password_reset
from billwright.features.identity.operations.sign_in import sign_in
from billwright.features.identity.operations.sync_oidc_user import sync_oidc_user
from billwright.features.identity.operations.update_user import update_user
from billwright.kernel.ids import new_id
from tests.features.identity.people import (
    ADMIN,
    PASSWORD,
    a_user,
    an_admin,
    audited,
    code_of,
    mailed,
    together,
    types_of,
)

WRONG = "incorrect horse battery"
STRANGER = "nobody@northlight.example"


async def stored_hash(tenant, user) -> str:
    async with tenant.tx() as tx:
        return await tx.fetch_value("select password_hash from app_user where id = $1", user.id)


async def store_hash(tenant, user, text: str) -> None:
    async with tenant.tx() as tx:
        await tx.execute("update app_user set password_hash = $2 where id = $1", user.id, text)


async def an_oidc_user(tenant, email="vi@northlight.example"):
    async with tenant.tx() as tx:
        return await sync_oidc_user(
            tx, subject=f"sub-{email}", email=email, email_verified=True, locale="en"
        )


async def test_a_password_lets_its_user_in_at_one_tenant(tenant, other_tenant):
    admin = await an_admin(tenant)
    assert await sign_in(tenant.tx, email=f" {ADMIN.title()}", password=PASSWORD) == admin
    assert await audited(tenant, "user.sign_in") == [
        ("user", admin.id, {"email": f" {ADMIN.title()}"})
    ]
    signing = sign_in(other_tenant.tx, email=ADMIN, password=PASSWORD)
    assert await code_of(signing) == "sign_in_failed"


async def test_only_who_knows_the_password_is_told_what_else_is_wrong(tenant):
    await an_admin(tenant)
    locked = await a_user(tenant, "bo@northlight.example", role=Role.ADMIN)
    async with tenant.tx() as tx:
        await lock_user(tx, locked.id)
    unconfirmed = await a_user(tenant, "cy@northlight.example")
    passwordless = await an_oidc_user(tenant)
    token = f"fp_pat_{'x' * 40}"
    await update_user(tenant.tx, unconfirmed.id, password=token)

    async def told(email: str, password: str) -> str:
        return await code_of(sign_in(tenant.tx, email=email, password=password))

    assert await told(locked.email, PASSWORD) == "user_locked"
    assert user_locked().detail.startswith("This account is locked.")
    for email in (ADMIN, locked.email, unconfirmed.email, passwordless.email, STRANGER):
        assert await told(email, WRONG) == "sign_in_failed"
        assert await told(email, token) == "sign_in_failed"
        assert await told(email, PASSWORD + "x" * 1100) == "sign_in_failed"
        assert await told(email, "\ud800") == "sign_in_failed"
    await update_user(tenant.tx, unconfirmed.id, password=PASSWORD)
    assert await told(unconfirmed.email, PASSWORD) == "email_not_confirmed"
    assert email_not_confirmed().detail.startswith("Email not confirmed.")


async def test_a_refused_attempt_is_recorded_all_the_same(tenant):
    admin = await an_admin(tenant)
    for email in (ADMIN, STRANGER):
        assert await code_of(sign_in(tenant.tx, email=email, password=WRONG)) == "sign_in_failed"
    assert await audited(tenant, "user.sign_in_failed") == [
        ("user", admin.id, {"email": ADMIN, "code": "sign_in_failed"}),
        ("tenant", tenant.id, {"email": STRANGER, "code": "sign_in_failed"}),
    ]


async def test_a_hash_is_verified_whoever_is_asked_for_and_never_in_a_transaction(
    tenant, database, monkeypatch
):
    await an_admin(tenant)
    passwordless = await an_oidc_user(tenant)
    verified = []

    async def watched(text: str, *, stored: str | None) -> PasswordCheck:
        verified.append((stored is not None, database.pool_use()[0]))
        return await password_is(text, stored=stored)

    monkeypatch.setattr(signing_in, "password_is", watched)
    for email in (ADMIN, passwordless.email, STRANGER):
        await code_of(sign_in(tenant.tx, email=email, password=WRONG))
    await code_of(sign_in(tenant.tx, email=ADMIN, password=f"fp_pat_{WRONG}"))
    assert verified == [(True, 0), (False, 0), (False, 0), (False, 0)]


async def test_the_time_tells_nothing_either():
    stored = await hash_password(PASSWORD)

    async def seconds(text: str, kept: str | None) -> float:
        started = time.perf_counter()
        assert await password_is(text, stored=kept) == (False, None)
        return time.perf_counter() - started

    known, unknown = [], []
    for _ in range(15):
        known.append(await seconds(WRONG, stored))
        unknown.append(await seconds(WRONG, None))
    assert median(unknown) == pytest.approx(median(known), rel=0.5)


async def test_no_password_fits_where_none_is_stored():
    assert await password_is("", stored=None) == (False, None)
    assert await password_is(PASSWORD, stored="no hash at all") == (False, None)


async def test_hashing_leaves_the_loop_alone():
    async def pauses(until: asyncio.Event) -> float:
        """How long nothing else could happen, in all."""
        total = 0.0
        while not until.is_set():
            started = time.perf_counter()
            await asyncio.sleep(0)
            paused = time.perf_counter() - started
            total += paused if paused > 0.01 else 0
        return total

    done = asyncio.Event()
    watching = asyncio.create_task(pauses(done))
    started = time.perf_counter()
    await asyncio.gather(*(hash_password(f"{PASSWORD} {number}") for number in range(8)))
    took = time.perf_counter() - started
    done.set()
    assert await watching < took / 2


async def test_an_old_hash_is_renewed_at_the_next_sign_in_and_no_session_ends(tenant):
    admin = await an_admin(tenant)
    old = (
        bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(),
        Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD),
    )
    for text in old:
        await store_hash(tenant, admin, text)
        assert await code_of(sign_in(tenant.tx, email=ADMIN, password=WRONG)) == "sign_in_failed"
        assert await stored_hash(tenant, admin) == text
        together = await asyncio.gather(
            *(sign_in(tenant.tx, email=ADMIN, password=PASSWORD) for _ in range(3))
        )
        assert together == [admin, admin, admin]
        renewed = await stored_hash(tenant, admin)
        assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await sign_in(tenant.tx, email=ADMIN, password=PASSWORD) == admin
        assert await stored_hash(tenant, admin) == renewed


async def test_of_a_long_password_bcrypt_knew_the_beginning(tenant):
    admin = await an_admin(tenant)
    password = "ä" * 50
    old = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    await store_hash(tenant, admin, old)
    assert await sign_in(tenant.tx, email=ADMIN, password=password) == admin
    assert await code_of(sign_in(tenant.tx, email=ADMIN, password="ä" * 49)) == "sign_in_failed"


async def test_a_password_that_is_changed_meanwhile_lets_nobody_in(tenant, monkeypatch):
    admin = await an_admin(tenant)

    async def overtaken(text: str, *, stored: str | None) -> PasswordCheck:
        check = await password_is(text, stored=stored)
        await update_user(tenant.tx, admin.id, password="a whole new sentence")
        return check

    monkeypatch.setattr(signing_in, "password_is", overtaken)
    assert await code_of(sign_in(tenant.tx, email=ADMIN, password=PASSWORD)) == "sign_in_failed"


async def test_a_user_changes_the_password_by_the_current_one(tenant):
    admin = await an_admin(tenant)
    passwordless = await an_oidc_user(tenant)
    await mailed(tenant, admin.id, CodePurpose.RESET_PASSWORD)

    async def refused(user_id, current: str, new: str = "a whole new sentence") -> str:
        return await code_of(change_password(tenant.tx, user_id, current=current, new=new))

    assert await refused(admin.id, WRONG) == "password_wrong"
    assert await refused(admin.id, PASSWORD, "short") == "password_too_short"
    assert await refused(passwordless.id, PASSWORD) == "password_absent"
    assert await refused(new_id(), PASSWORD) == "user_unknown"
    changed = await change_password(
        tenant.tx, admin.id, current=PASSWORD, new="a whole new sentence"
    )
    assert changed.token_version == admin.token_version + 1
    assert (await types_of(tenant, admin.id))[-1] == "updated"
    assert await code_of(sign_in(tenant.tx, email=ADMIN, password=PASSWORD)) == "sign_in_failed"
    signed_in = await sign_in(tenant.tx, email=ADMIN, password="a whole new sentence")
    assert signed_in.token_version == changed.token_version
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from one_time_code") == 0


async def test_of_two_changes_by_one_password_the_second_is_refused(tenant):
    admin = await an_admin(tenant)
    open_tx = together(tenant, 2)
    results = await asyncio.gather(
        *(
            change_password(open_tx, admin.id, current=PASSWORD, new=f"sentence {number}")
            for number in range(2)
        ),
        return_exceptions=True,
    )
    assert [getattr(one, "code", "changed") for one in results].count("password_wrong") == 1


async def test_a_reset_is_begun_for_those_who_can_use_it_and_looks_the_same_for_all(tenant):
    admin = await an_admin(tenant)
    locked = await a_user(tenant, "bo@northlight.example")
    async with tenant.tx() as tx:
        await lock_user(tx, locked.id)
    passwordless = await an_oidc_user(tenant)
    for email in (ADMIN.upper(), locked.email, passwordless.email, STRANGER):
        async with tenant.tx() as tx:
            assert await request_password_reset(tx, email=email) is None
    begun = [
        (await types_of(tenant, user.id)).count("password_reset_requested")
        for user in (admin, locked, passwordless)
    ]
    assert begun == [1, 0, 0]
    entries = await audited(tenant, "user.request_password_reset")
    assert [subject for subject, _, _ in entries] == ["user", "user", "user", "tenant"]


async def test_who_registers_can_sign_in_only_after_confirming(tenant):
    await an_admin(tenant)
    registered = await register_user(
        tenant.tx, email="bo@northlight.example", password=PASSWORD, locale="en"
    )
    signing = sign_in(tenant.tx, email=registered.user.email, password=PASSWORD)
    assert await code_of(signing) == "email_not_confirmed"
