"""Is each question about methods and their setups answered by an index on what it asks for?"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.payment_methods.model import MethodStatus
from billwright.features.payment_methods.sql.reads import (
    chargeable_defaults,
    default_method_of,
    digests_in_use,
    list_methods,
    methods_of_reference,
    newest_with_payer,
    next_expiry_announcement,
    unannounced_ends,
)
from billwright.features.payment_methods.sql.reads_setups import setup_by_key, setups_left
from billwright.features.payment_methods.sql.writes import claim_methods_to_detach, remove_methods
from billwright.runtime.db.tx import Tx
from tests.conftest import BOX, NOON, Tenant
from tests.features.payment_methods.methods import PROVIDER, a_customer, leave


class Explained(Exception):
    pass


class Explaining:
    """A transaction that keeps the plan of what it is asked, and answers nothing."""

    def __init__(self, tx: Tx) -> None:
        self.tx, self.tenant_id, self.plan = tx, tx.tenant_id, ""
        self.now, self.machine_now = tx.now, tx.machine_now

    async def fetch(self, sql: str, *values: object) -> None:
        self.plan = "\n".join(row[0] for row in await self.tx.fetch(f"explain {sql}", *values))
        raise Explained

    fetch_row = fetch_value = fetch


# A thousand customers, with a method and a setup each.
CROWD = """
    insert into account select (jsonb_populate_record(a,
            jsonb_build_object('id', gen_random_uuid(), 'number', a.number + n))).*
        from account a, generate_series(1, 1000) n;
    insert into payment_method select m.tenant_id, a.id, a.id, m.provider, m.kind, m.label, m.status,
            m.is_default, m.is_chargeable, m.expires_on + (a.number % 900)::int, null,
            m.reference_sealed, sha256(a.id::text::bytea), m.payer_reference_sealed, null,
            m.consented_at, m.consent, 1, m.created_at, m.updated_at
        from payment_method m, account a where a.id <> m.account_id;
    insert into payment_method_setup (tenant_id, id, account_id, provider, provider_key, state,
            expires_at, created_at, updated_at)
        select a.tenant_id, a.id, a.id, 'p', 'setup:' || a.id, 'open',
            a.created_at + a.number * interval '1 hour', a.created_at, a.updated_at
        from account a;
    analyze account; analyze payment_method; analyze payment_method_setup;
"""
TODAY, CLOCK = date(2026, 1, 15), uuid4()
# By what each is found.
ASKED: dict[str, tuple[Callable[[Any], Awaitable[object]], str]] = {
    "default_method_of": (lambda tx: default_method_of(tx, uuid4()), "account_id"),
    "chargeable_defaults": (lambda tx: chargeable_defaults(tx, [uuid4()]), "account_id"),
    "list_methods": (
        lambda tx: list_methods(tx, uuid4(), before=None, limit=9, status=MethodStatus.ACTIVE),
        "account_id",
    ),
    "methods_of_reference": (
        lambda tx: methods_of_reference(tx, provider="p", reference="r", box=BOX),
        "reference_digest",
    ),
    "digests_in_use": (
        lambda tx: digests_in_use(tx, [b"digest"], provider="p"),
        "reference_digest",
    ),
    "claim_methods_to_detach": (
        lambda tx: claim_methods_to_detach(tx, as_of=NOON, limit=20),
        "detach_at",
    ),
    "remove_methods": (lambda tx: remove_methods(tx, uuid4()), "account_id"),
    "newest_with_payer": (
        lambda tx: newest_with_payer(tx, uuid4(), provider=PROVIDER),
        "account_id",
    ),
    "next_expiry_announcement": (
        lambda tx: next_expiry_announcement(tx, CLOCK),
        "test_clock_id",
    ),
    "unannounced_ends": (
        lambda tx: unannounced_ends(tx, expires_by=TODAY, test_clock_id=None, limit=9),
        "expires_on",
    ),
    "setup_by_key": (lambda tx: setup_by_key(tx, "setup:1"), "provider_key"),
    "setups_left": (lambda tx: setups_left(tx, as_of=NOON, limit=9), "expires_at"),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_what_is_asked_for_is_in_the_index(
    tenant: Tenant, migrated_database: str, asked: str
):
    ask, column = ASKED[asked]
    await leave(tenant, (await a_customer(tenant)).id)
    owner = await asyncpg.connect(migrated_database)
    await owner.execute(CROWD)
    await owner.close()
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        with pytest.raises(Explained):
            await ask(explaining)
    assert re.search(rf"Index Cond: .*{column}", explaining.plan), explaining.plan
    assert "Seq Scan" not in explaining.plan, explaining.plan
