"""Is what payments look for every minute found by an index, however many there are?"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from billwright.features.invoicing.sql.reads import earliest_collection
from billwright.features.invoicing.sql.writes import claim_to_collect
from billwright.features.payment_methods.sql.reads import chargeable_defaults
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.features.payments.sql.writes import claim_expired_pages
from tests.conftest import NOON


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plans = tx, tx.tenant_id, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plans += [row[0] for row in rows]
        return []

    async def fetch_value(self, sql: str, *values: object) -> int:
        return len(await self.fetch(sql, *values))


ASKED = {
    "invoice_to_collect": lambda tx: claim_to_collect(
        tx, as_of=NOON, test_clock_id=None, limit=100
    ),
    "invoice_tenant_id_account_id_idx|invoice_to_collect": lambda tx: earliest_collection(
        tx, uuid4()
    ),
    "payment_attempt_one_live_per_invoice": lambda tx: live_attempts_of(tx, [uuid4()]),
    "payment_attempt_tenant_id_page_expires_at_idx": lambda tx: claim_expired_pages(
        tx, as_of=NOON, again_after=NOON - NOON, limit=50
    ),
    "payment_method_one_default": lambda tx: chargeable_defaults(tx, [uuid4()]),
}


@pytest.mark.parametrize("indexes", ASKED)
async def test_it_is_found_by_its_index(tenant, indexes):
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ASKED[indexes](explaining)
    plan = "\n".join(explaining.plans)
    assert any(index in plan for index in indexes.split("|")), plan
    assert "Seq Scan" not in plan
