"""Who else is written to for an account?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.errors import contact_repeated, contacts_too_many
from billwright.features.accounts.events import ContactAdded
from billwright.features.accounts.model import Contact, ContactId, ContactRole
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads_contacts import list_contacts
from billwright.features.accounts.sql.writes_contacts import insert_contact
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx

# Every message to an account is one request for each of its billing contacts.
MOST_CONTACTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AddContact:
    """A person or a mailbox of a customer; without a locale, it is written to in the account's."""

    account_id: UUID
    name: str
    email: str
    role: ContactRole = ContactRole.BILLING
    locale: str | None = None


async def add_contact(tx: Tx, command: AddContact) -> Contact:
    """Give an account another contact.

    Refuses: `account_unknown`, `contact_repeated`, `contacts_too_many`.
    """
    await lock_account(tx, command.account_id)
    if len(await list_contacts(tx, command.account_id, limit=MOST_CONTACTS)) == MOST_CONTACTS:
        raise contacts_too_many(maximum=MOST_CONTACTS)
    contact = Contact(
        id=ContactId(new_id()),
        account_id=command.account_id,
        name=command.name,
        email=command.email,
        role=command.role,
        locale=command.locale,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not await insert_contact(tx, contact):
        raise contact_repeated(role=contact.role.value)
    tx.publish(
        ContactAdded(subject_id=contact.id, account_id=contact.account_id, role=contact.role.value)
    )
    tx.audit("contact.add", subject_type="contact", subject_id=contact.id, details=command)
    return contact
