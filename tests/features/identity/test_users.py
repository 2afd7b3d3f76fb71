"""Who becomes a user, and how does an administrator change them?"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.identity.model import CodePurpose, Role
from billwright.features.identity.operations.create_first_admin import create_first_admin
from billwright.features.identity.operations.create_user import create_user
from billwright.features.identity.operations.delete_user import delete_user
from billwright.features.identity.operations.lock_user import lock_user, unlock_user
from billwright.features.identity.operations.register_user import register_user
from billwright.features.identity.operations.reset_password import reset_password
from billwright.features.identity.operations.sign_in import sign_in
from billwright.features.identity.operations.update_user import update_user
from billwright.features.identity.rules.email import email_from
from billwright.features.identity.sql.reads_users import (
    find_user,
    list_users,
    user_by_id,
    users_by_id,
)
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tests.conftest import BOX
from tests.features.identity.people import (
    ADMIN,
    PASSWORD,
    a_user,
    an_admin,
    as_user,
    audited,
    code_of,
    events_of,
    mailed,
    together,
    types_of,
)


async def users_of(tenant):
    async with tenant.tx() as tx:
        return await list_users(tx, limit=100, offset=0)


async def test_the_first_user_is_the_administrator_and_the_others_are_to_confirm(tenant):
    first = await register_user(
        tenant.tx, email=f" {ADMIN.upper()} ", password=PASSWORD, locale="en"
    )
    assert (first.user.email, first.user.role, first.email_confirmed) == (ADMIN, Role.ADMIN, True)
    assert await types_of(tenant, first.user.id) == ["created"]
    second = await register_user(
        tenant.tx, email="bo@northlight.example", password=PASSWORD, locale="de"
    )
    assert (second.user.role, second.email_confirmed) == (Role.USER, False)
    assert await types_of(tenant, second.user.id) == ["created", "email_confirmation_requested"]
    assert await users_of(tenant) == [second.user, first.user]


async def test_of_many_who_come_first_together_one_is_the_administrator(tenant):
    emails = [f"user{number}@northlight.example" for number in range(5)]
    open_tx = together(tenant, 5)
    await asyncio.gather(
        *(
            register_user(open_tx, email=email, password=PASSWORD, locale="en")
            for email in emails[:3]
        ),
        *(
            create_user(open_tx, email=email, password=PASSWORD, role=None, locale="en")
            for email in emails[3:]
        ),
    )
    users = await users_of(tenant)
    assert sorted(user.email for user in users) == emails
    assert [user.role for user in users].count(Role.ADMIN) == 1
    assert [user.email_confirmed_at is None for user in users].count(False) == 1


async def test_registering_again_looks_the_same_and_stores_nothing(tenant):
    await an_admin(tenant)
    known = await a_user(tenant, "bo@northlight.example", role=Role.CONTROLLER)
    before = await users_of(tenant)
    again = await register_user(
        tenant.tx, email="Bo@northlight.example", password="another sentence", locale="en"
    )
    fresh = await register_user(
        tenant.tx, email="cy@northlight.example", password="another sentence", locale="en"
    )
    hidden = {"id", "email"}
    assert {name for name in known.__dataclass_fields__ if name not in hidden} == {
        name
        for name in known.__dataclass_fields__
        if getattr(again.user, name) == getattr(fresh.user, name)
    }
    assert again.user.id != known.id
    assert again.user.email == known.email
    assert [user for user in await users_of(tenant) if user.id != fresh.user.id] == before
    assert (await types_of(tenant, known.id))[-1] == "registration_repeated"
    assert await types_of(tenant, again.user.id) == []


async def test_one_address_registered_by_many_at_once_makes_one_user(tenant):
    open_tx = together(tenant, 4)
    await asyncio.gather(
        *(register_user(open_tx, email=ADMIN, password=PASSWORD, locale="en") for _ in range(4))
    )
    (user,) = await users_of(tenant)
    assert user.role is Role.ADMIN
    assert (await types_of(tenant, user.id)).count("registration_repeated") == 3


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        (ADMIN, "7 chars", "password_too_short"),
        (ADMIN, "ä" * 513, "password_too_long"),
        ("ada", PASSWORD, "email_malformed"),
        ("a b@northlight.example", PASSWORD, "email_malformed"),
        ("ada@northlight.example\x00", PASSWORD, "email_malformed"),
        (f"{'a' * 250}@x.example", PASSWORD, "email_malformed"),
    ],
)
async def test_what_can_be_neither_address_nor_password_is_refused(tenant, email, password, code):
    for adding in (
        register_user(tenant.tx, email=email, password=password, locale="en"),
        create_user(tenant.tx, email=email, password=password, role=None, locale="en"),
        create_first_admin(tenant.tx, email=email, password=password),
    ):
        assert await code_of(adding) == code
    assert await users_of(tenant) == []


async def test_an_address_is_given_once_in_a_tenant(tenant, other_tenant):
    await an_admin(tenant)
    user = await a_user(tenant, "bo@northlight.example")
    assert await code_of(a_user(tenant, "BO@northlight.example")) == "email_taken"
    assert await code_of(update_user(tenant.tx, user.id, email=ADMIN)) == "email_taken"
    assert await types_of(tenant, user.id) == ["created", "email_confirmation_requested"]
    elsewhere = await an_admin(other_tenant)
    assert (elsewhere.email, elsewhere.role) == (ADMIN, Role.ADMIN)


async def test_another_address_is_to_be_confirmed_and_what_was_mailed_is_void(tenant):
    admin = await an_admin(tenant)
    code = await mailed(tenant, admin.id, CodePurpose.RESET_PASSWORD)
    user = await update_user(tenant.tx, admin.id, email="ADA@riverbank.example")
    assert (user.email, user.email_confirmed_at) == ("ada@riverbank.example", None)
    assert user.token_version == admin.token_version
    assert await events_of(tenant, admin.id) == [
        ("created", {"email": ADMIN, "role": "admin"}),
        ("email_changed", {"former_email": ADMIN}),
        ("email_confirmation_requested", {}),
        ("updated", {"email": user.email, "role": "admin", "changed": ["email"]}),
    ]
    resetting = reset_password(
        tenant.tx, BOX, email=user.email, code=code, password="a whole new sentence"
    )
    assert await code_of(resetting) == "code_invalid"
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from one_time_code") == 0


async def test_another_password_or_role_ends_the_sessions_and_the_same_does_not(tenant):
    await an_admin(tenant)
    user = await a_user(tenant, "bo@northlight.example")
    user = await update_user(tenant.tx, user.id, role=Role.ADMIN, password="a whole new sentence")
    assert (user.role, user.token_version) == (Role.ADMIN, 2)
    kind, data = (await events_of(tenant, user.id))[-1]
    assert (kind, data["changed"]) == ("updated", ["password", "role"])
    same = await update_user(tenant.tx, user.id, email=user.email.upper(), role=Role.ADMIN)
    assert same == user
    assert len(await events_of(tenant, user.id)) == 3
    assert await code_of(update_user(tenant.tx, user.id, password="short")) == "password_too_short"


async def test_the_audit_log_says_who_did_what_and_no_password(
    tenant, postgres_server, migrated_database
):
    admin = await an_admin(tenant)
    user = await a_user(tenant, "bo@northlight.example")
    await update_user(as_user(tenant, admin), user.id, password="a whole new sentence")
    async with as_user(tenant, admin)() as tx:
        await lock_user(tx, user.id)
        await unlock_user(tx, user.id)
        await delete_user(tx, user.id)
    for action in ("create", "update", "lock", "unlock", "delete"):
        ((about, subject_id, _),) = await audited(tenant, f"user.{action}")
        assert (about, subject_id) == ("user", user.id)
    name = migrated_database.rpartition("/")[2]
    for table in ("app_user", "audit_entry", "event"):
        rows = postgres_server.execute(f"select t::text from {table} t", database=name)
        assert "sentence" not in rows
        assert "horse" not in rows


async def test_a_lock_is_told_once_and_leaves_the_sessions(tenant):
    await an_admin(tenant)
    user = await a_user(tenant, "bo@northlight.example")
    async with tenant.tx() as tx:
        locked = await lock_user(tx, user.id)
        assert (locked.locked_at, locked.token_version) == (tx.now, 0)
        assert await lock_user(tx, user.id) == locked
        unlocked = await unlock_user(tx, user.id)
        assert unlocked.locked_at is None
        assert await unlock_user(tx, user.id) == unlocked
    assert (await types_of(tenant, user.id)).count("updated") == 2


async def test_nobody_locks_or_unlocks_themselves(tenant):
    await an_admin(tenant)
    user = await a_user(tenant, "bo@northlight.example", role=Role.ADMIN)
    for change in (lock_user, unlock_user):
        async with as_user(tenant, user)() as tx:
            assert await code_of(change(tx, user.id)) == "own_user_locked"


async def test_a_user_of_another_tenant_is_unknown(tenant, other_tenant):
    user = await an_admin(tenant)
    await an_admin(other_tenant)
    async with other_tenant.tx() as tx:
        for asked in (user_by_id, lock_user, unlock_user, delete_user):
            assert await code_of(asked(tx, user.id)) == "user_unknown"
        assert await find_user(tx, user.id) is None
        assert await users_by_id(tx, [user.id]) == {}
    changing = update_user(other_tenant.tx, user.id, role=Role.USER)
    assert await code_of(changing) == "user_unknown"
    assert await users_of(tenant) == [user]


async def test_users_are_listed_newest_first_page_by_page(tenant, clock):
    admin = await an_admin(tenant)
    second = await a_user(tenant, "bo@northlight.example")
    clock.move_to(clock.now().replace(hour=11))
    earlier = await a_user(tenant, "cy@northlight.example")
    async with tenant.tx() as tx:
        assert await list_users(tx, limit=2, offset=0) == [second, admin]
        assert await list_users(tx, limit=2, offset=2) == [earlier]
        assert await users_by_id(tx, [second.id, new_id()]) == {second.id: second}


async def test_an_operator_lets_the_first_administrator_in_and_no_second_one(tenant):
    open_tx = together(tenant, 2)
    results = await asyncio.gather(
        create_first_admin(open_tx, email=ADMIN, password=PASSWORD),
        create_first_admin(open_tx, email="bo@northlight.example", password=PASSWORD),
        return_exceptions=True,
    )
    (refusal,) = (one for one in results if isinstance(one, Refusal))
    (admin,) = await users_of(tenant)
    assert (refusal.code, refusal.facts) == ("admin_exists", {"email": admin.email})
    assert admin in results
    assert (await sign_in(tenant.tx, email=admin.email, password=PASSWORD)) == admin


async def test_what_python_writes_in_lower_case_the_database_does_too(tenant):
    texts = [chr(sign) for sign in range(0x80, 0x110000) if not 0xD800 <= sign <= 0xDFFF]
    async with tenant.tx() as tx:
        differing = await tx.fetch_value(
            "select array_agg(s) from unnest($1::text[]) s where s <> lower(s)",
            [text.lower() for text in texts],
        )
    assert differing is None


@given(st.text(max_size=30))
def test_any_text_is_an_address_in_its_stored_form_or_none(text):
    try:
        address = email_from(text)
    except Refusal as refusal:
        assert refusal.code == "email_malformed"
    else:
        assert email_from(address) == address
        assert "@" in address
        assert not any(sign.isspace() for sign in address)
