"""Is every user found by an index, however many there are?"""

from __future__ import annotations

from typing import Any

import pytest

from billwright.features.identity.sql.reads_users import (
    credentials_by_email,
    find_admin,
    find_user_by_oidc_subject,
    has_users,
    list_users,
)
from billwright.features.identity.sql.writes_users import locked_admins


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.plan = tx, tx.tenant_id, ""

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        rows = await self.tx.fetch(f"explain {sql}", *values)
        self.plan += "\n".join(row[0] for row in rows)
        return []

    async def fetch_row(self, sql: str, *values: object) -> None:
        assert await self.fetch(sql, *values) == []

    fetch_value = fetch_row


ASKED = [
    (lambda tx: credentials_by_email(tx, "a@x.example"), "app_user_tenant_id_email_key"),
    (lambda tx: find_user_by_oidc_subject(tx, "s"), "app_user_tenant_id_oidc_subject_key"),
    (lambda tx: list_users(tx, limit=10, offset=0), "app_user_tenant_id_created_at_id_idx"),
    (locked_admins, "app_user_tenant_id_id_idx"),
    (find_admin, "app_user_tenant_id_id_idx"),
    (has_users, "app_user_"),
]


@pytest.mark.parametrize(("ask", "index"), ASKED)
async def test_it_is_found_by_its_index(tenant, ask, index):
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ask(explaining)
    assert index in explaining.plan
    assert "Seq Scan" not in explaining.plan
