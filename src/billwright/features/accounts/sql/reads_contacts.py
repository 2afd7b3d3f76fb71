"""Who is written to for an account?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from billwright.features.accounts.errors import contact_unknown
from billwright.features.accounts.model import Contact, ContactId, ContactRole
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.tx import Tx

_COLUMNS = """k.id, k.account_id, k.name, k.email, k.role, k.locale, k.version, k.created_at,
    k.updated_at"""


async def contact_of(tx: Tx, account_id: UUID, *, contact_id: UUID) -> Contact:
    """One contact of an account. Refuses: `contact_unknown`."""
    row = await tx.fetch_row(
        f"""select {_COLUMNS} from account_contact k
            where k.tenant_id = $1 and k.account_id = $2 and k.id = $3""",
        tx.tenant_id,
        account_id,
        contact_id,
    )
    if row is None:
        raise contact_unknown(contact_id=contact_id)
    return _contact_from_row(row)


async def list_contacts(
    tx: Tx,
    account_id: UUID,
    *,
    before: UUID | None = None,
    limit: int,
    role: ContactRole | None = None,
) -> list[Contact]:
    """An account's contacts, newest first, that come after the one named `before` in that order."""
    found = Conditions("k.tenant_id = {}", tx.tenant_id)
    found.add("k.account_id = {}", account_id)
    found.add("k.id < {}", before)
    found.add("k.role = {}", role)
    rows = await tx.fetch(
        f"""select {_COLUMNS} from account_contact k where {found.sql}
            order by k.id desc limit {found.parameter(limit)}""",
        *found.values,
    )
    return [_contact_from_row(row) for row in rows]


async def billing_contacts(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, list[Contact]]:
    """The contacts that get what accounts are sent, by account, the first one first; accounts that have
    none are absent.
    """
    rows = await tx.fetch(
        f"""select {_COLUMNS} from account_contact k
            where k.tenant_id = $1 and k.account_id = any($2::uuid[]) and k.role = 'billing'
            order by k.id""",
        tx.tenant_id,
        account_ids,
    )
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    for row in rows:
        contacts[row["account_id"]].append(_contact_from_row(row))
    return dict(contacts)


async def contacts_by_id(tx: Tx, contact_ids: Sequence[UUID]) -> dict[UUID, Contact]:
    """Many contacts in one query; those that are gone are absent."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from account_contact k
            where k.tenant_id = $1 and k.id = any($2::uuid[])""",
        tx.tenant_id,
        contact_ids,
    )
    return {row["id"]: _contact_from_row(row) for row in rows}


def _contact_from_row(row: asyncpg.Record) -> Contact:
    return Contact(
        id=ContactId(row["id"]),
        account_id=row["account_id"],
        name=row["name"],
        email=row["email"],
        role=ContactRole(row["role"]),
        locale=row["locale"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
