"""How do contacts change?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.accounts.model import Contact
from billwright.runtime.db.tx import Tx


async def insert_contact(tx: Tx, contact: Contact) -> bool:
    """Store a new contact of a locked account; false when its address has the role already."""
    inserted = await tx.insert(
        "account_contact",
        [
            {
                "id": contact.id,
                "account_id": contact.account_id,
                "name": contact.name,
                "email": contact.email,
                "role": contact.role,
                "locale": contact.locale,
                "version": contact.version,
                "created_at": contact.created_at,
                "updated_at": contact.updated_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def update_contact_row(tx: Tx, contact: Contact) -> bool:
    """Store what a change has made of a contact, whose account is locked; false when its address has
    the role already.
    """
    try:
        async with tx.savepoint():
            await tx.execute(
                """update account_contact
                   set name = $3, email = $4, role = $5, locale = $6, version = $7, updated_at = $8
                   where tenant_id = $1 and id = $2""",
                tx.tenant_id,
                contact.id,
                contact.name,
                contact.email,
                contact.role.value,
                contact.locale,
                contact.version,
                contact.updated_at,
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def delete_contact(tx: Tx, contact_id: UUID) -> None:
    """Forget a contact."""
    await tx.execute(
        "delete from account_contact where tenant_id = $1 and id = $2", tx.tenant_id, contact_id
    )
