"""Is a subscription row that no command wrote refused, in these tests and so in all others?"""

from __future__ import annotations

import asyncpg
import pytest

from tests.features.billing import a_plan, a_subscription, an_account


async def test_what_no_command_wrote_is_not_committed(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_subscription(tx, await an_account(tx))
    for sql in (
        "update subscription set state = 'canceled'",
        "update subscription set version = version",
        """insert into subscription select (jsonb_populate_record(s, jsonb_build_object(
               'id', gen_random_uuid(), 'number', 99))).* from subscription s""",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="without a command"):
            async with tenant.tx() as tx:
                await tx.execute(sql)


async def test_an_entry_about_another_subscription_is_none(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        ours = (await a_subscription(tx, await an_account(tx))).subscription
        other = (await a_subscription(tx, await an_account(tx))).subscription
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=str(other.id)):
        async with tenant.tx() as tx:
            tx.audit("subscription.cancel", subject_type="subscription", subject_id=ours.id)
            await tx.execute("update subscription set version = 9 where id = $1", other.id)
