"""Does a database that is brought up to date know which cards trials were had with?"""

from __future__ import annotations

from importlib.resources import files

import asyncpg

from billwright.features.payment_methods.operations.remove_method import remove_method
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription
from tests.features.payment_methods.methods import a_card, a_customer, leave

_KNOWN = {
    "account_fingerprint": "account_id, fingerprint_digest, noted_at",
    "trial_fingerprint": "fingerprint_digest, plan_code, subscription_id",
}


def statements() -> list[str]:
    """What the migration does to the rows that are there."""
    folder = files("billwright.runtime.db.migrations")
    parts = folder.joinpath("sql", "0012_closing_gaps.sql").read_text().split(";\n")
    stripped = [part.strip() for part in parts]
    return [one for one in stripped if one.startswith(tuple(f"insert into {t}" for t in _KNOWN))]


async def test_the_past_is_told_as_it_would_have_been_kept(tenant: Tenant, migrated_database: str):
    async with tenant.tx() as tx:
        await a_plan(tx)
    first, second, third = [await a_customer(tenant) for _ in range(3)]
    removed = await leave(tenant, first.id)
    await leave(tenant, first.id, a_card("pm_silent", fingerprint=None))
    for account in (first, second):
        async with tenant.tx() as tx:
            await a_subscription(tx, account, trial_days=14)
    async with tenant.tx() as tx:
        await remove_method(tx, removed)
    await leave(tenant, second.id, a_card("pm_second"))
    await leave(tenant, third.id, a_card("pm_third", fingerprint="fp_4444"))
    connection = await asyncpg.connect(migrated_database)
    try:
        kept = [await connection.fetch(f"select {c} from {t}") for t, c in _KNOWN.items()]
        for table in _KNOWN:
            await connection.execute(f"delete from {table}")
        for statement in statements():
            await connection.execute(statement)
        told = [await connection.fetch(f"select {c} from {t}") for t, c in _KNOWN.items()]
    finally:
        await connection.close()
    assert [len(rows) for rows in kept] == [3, 1]
    assert [sorted(map(tuple, rows)) for rows in told] == [
        sorted(map(tuple, rows)) for rows in kept
    ]
