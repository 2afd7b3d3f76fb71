"""Who is not written to any more?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.errors import contact_version_stale
from billwright.features.accounts.events import ContactRemoved
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads_contacts import contact_of
from billwright.features.accounts.sql.writes_contacts import delete_contact
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveContact:
    """`expected_version` refuses the command when someone else changed the contact first."""

    account_id: UUID
    contact_id: UUID
    expected_version: int | None = None


async def remove_contact(tx: Tx, command: RemoveContact) -> None:
    """Forget a contact; what is on its way to it is not delivered any more.

    Refuses: `account_unknown`, `contact_unknown`, `contact_version_stale`.
    """
    await lock_account(tx, command.account_id)
    contact = await contact_of(tx, command.account_id, contact_id=command.contact_id)
    if command.expected_version not in {None, contact.version}:
        raise contact_version_stale(expected=command.expected_version, actual=contact.version)
    await delete_contact(tx, contact.id)
    tx.publish(
        ContactRemoved(
            subject_id=contact.id, account_id=contact.account_id, role=contact.role.value
        )
    )
    tx.audit("contact.remove", subject_type="contact", subject_id=contact.id, details=command)
