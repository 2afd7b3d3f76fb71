"""Does somebody always remain who can let others in?"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.identity.model import Role
from billwright.features.identity.operations.delete_user import delete_user
from billwright.features.identity.operations.lock_user import lock_user
from billwright.features.identity.operations.update_user import update_user
from billwright.features.identity.rules.last_admin import check_admin_remains
from billwright.features.identity.rules.new_user import new_user
from billwright.features.identity.sql.reads_users import list_users
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON, Tenant
from tests.features.identity.people import a_user, an_admin, code_of


async def demote(tenant: Tenant, user_id) -> None:
    await update_user(tenant.tx, user_id, role=Role.CONTROLLER)


async def lock(tenant: Tenant, user_id) -> None:
    async with tenant.tx() as tx:
        await lock_user(tx, user_id)


async def delete(tenant: Tenant, user_id) -> None:
    async with tenant.tx() as tx:
        await delete_user(tx, user_id)


TAKING_AWAY = (demote, lock, delete)


@pytest.mark.parametrize("take_away", TAKING_AWAY)
async def test_the_last_administrator_stays_and_a_locked_one_does_not_count(tenant, take_away):
    admin = await an_admin(tenant)
    await a_user(tenant, "bo@northlight.example")
    locked = await a_user(tenant, "cy@northlight.example", role=Role.ADMIN)
    await lock(tenant, locked.id)
    assert await code_of(take_away(tenant, admin.id)) == "last_admin"
    await take_away(tenant, locked.id)
    await a_user(tenant, "di@northlight.example", role=Role.ADMIN)
    await take_away(tenant, admin.id)


@pytest.mark.parametrize("first", TAKING_AWAY)
@pytest.mark.parametrize("second", TAKING_AWAY)
async def test_two_at_once_do_not_take_both_away(tenant, first, second):
    one = await an_admin(tenant)
    other = await a_user(tenant, "bo@northlight.example", role=Role.ADMIN)
    results = await asyncio.gather(
        first(tenant, one.id), second(tenant, other.id), return_exceptions=True
    )
    (refusal,) = (result for result in results if isinstance(result, Refusal))
    assert refusal.code == "last_admin"
    async with tenant.tx() as tx:
        users = await list_users(tx, limit=10, offset=0)
    assert len([user for user in users if user.role is Role.ADMIN and not user.locked_at]) == 1


@given(st.lists(st.booleans(), max_size=4), st.integers(0, 4))
def test_whoever_goes_an_able_administrator_is_left_where_one_was(locks, gone):
    admins = [
        replace(
            new_user(new_id(), email="x@y.example", locale="en", role=Role.ADMIN, now=NOON),
            locked_at=NOON if is_locked else None,
        )
        for is_locked in locks
    ]
    without = admins[gone].id if gone < len(admins) else new_id()
    able = [admin.id for admin in admins if admin.locked_at is None]
    left = [admin_id for admin_id in able if admin_id != without]
    try:
        check_admin_remains(admins, without=without)
    except Refusal:
        assert able
        assert not left
    else:
        assert left or not able
