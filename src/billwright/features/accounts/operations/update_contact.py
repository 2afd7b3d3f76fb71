"""How does what is known of a contact change?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict
from uuid import UUID

from billwright.features.accounts.errors import contact_repeated, contact_version_stale
from billwright.features.accounts.events import ContactUpdated
from billwright.features.accounts.model import Contact, ContactRole
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads_contacts import contact_of
from billwright.features.accounts.sql.writes_contacts import update_contact_row
from billwright.runtime.db.tx import Tx


class ContactChanges(TypedDict, total=False):
    """What may change, under the names that the contact has for it; what is not named stays."""

    name: str
    email: str
    role: ContactRole
    locale: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateContact:
    """Change some fields of a contact.

    `expected_version` refuses the command when someone else changed the contact first.
    """

    account_id: UUID
    contact_id: UUID
    changes: ContactChanges
    expected_version: int | None = None


async def update_contact(tx: Tx, command: UpdateContact) -> Contact:
    """Change a contact. What is on its way to it goes to its new address. A command that changes nothing
    leaves nothing behind.

    Refuses: `account_unknown`, `contact_unknown`, `contact_version_stale`, `contact_repeated`.
    """
    await lock_account(tx, command.account_id)
    contact = await contact_of(tx, command.account_id, contact_id=command.contact_id)
    if command.expected_version not in {None, contact.version}:
        raise contact_version_stale(expected=command.expected_version, actual=contact.version)
    asked = replace(contact, **command.changes)
    changed = sorted(
        name
        for name in ContactChanges.__annotations__
        if getattr(asked, name) != getattr(contact, name)
    )
    if not changed:
        return contact
    updated = replace(asked, version=contact.version + 1, updated_at=tx.now)
    if not await update_contact_row(tx, updated):
        raise contact_repeated(role=updated.role.value)
    tx.publish(
        ContactUpdated(subject_id=contact.id, account_id=contact.account_id, changed=tuple(changed))
    )
    tx.audit(
        "contact.update",
        subject_type="contact",
        subject_id=contact.id,
        details={"changed": {name: getattr(updated, name) for name in changed}},
    )
    return updated
