"""Can a customer name who is written to, and be sure that nobody else is?"""

from __future__ import annotations

from typing import Any

from billwright.features.accounts.model import Account, Contact, ContactRole
from billwright.features.accounts.operations.add_contact import (
    MOST_CONTACTS,
    AddContact,
    add_contact,
)
from billwright.features.accounts.operations.remove_contact import RemoveContact, remove_contact
from billwright.features.accounts.operations.update_contact import (
    ContactChanges,
    UpdateContact,
    update_contact,
)
from billwright.features.accounts.sql.reads_contacts import billing_contacts, list_contacts
from billwright.runtime.db.tx import Tx
from tests.features.billing import an_account
from tests.features.refusing import refusing


async def added(tx: Tx, account: Account, **changes: Any) -> Contact:
    values: dict[str, Any] = {"name": "Payables", "email": "pay@riverbank.example"}
    return await add_contact(tx, AddContact(account_id=account.id, **{**values, **changes}))


def change(contact: Contact, changes: ContactChanges, **more: Any) -> UpdateContact:
    return UpdateContact(
        account_id=contact.account_id, contact_id=contact.id, changes=changes, **more
    )


async def test_contacts_are_kept_changed_and_forgotten(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        first = await added(tx, account)
        second = await added(tx, account, role=ContactRole.OWNER, locale="de-AT")
        assert await list_contacts(tx, account.id, limit=9) == [second, first]
        assert await list_contacts(tx, account.id, limit=9, before=second.id) == [first]
        assert await list_contacts(tx, account.id, limit=9, role=ContactRole.OWNER) == [second]
        assert await billing_contacts(tx, [account.id]) == {account.id: [first]}
        moved = await update_contact(
            tx, change(second, {"role": ContactRole.BILLING, "email": "x@y.example"})
        )
        assert (moved.version, moved.locale) == (2, "de-AT")
        assert await billing_contacts(tx, [account.id]) == {account.id: [first, moved]}
        await remove_contact(tx, RemoveContact(account_id=account.id, contact_id=first.id))
        assert await list_contacts(tx, account.id, limit=9) == [moved]
        types = [event.type for _, _, event in tx.events[1:]]
    assert types == ["contact.added", "contact.added", "contact.updated", "contact.removed"]


async def test_a_change_that_changes_nothing_leaves_nothing(tenant):
    async with tenant.tx() as tx:
        contact = await added(tx, await an_account(tx))
        told = len(tx.events)
        assert await update_contact(tx, change(contact, {"name": "Payables"})) == contact
        assert len(tx.events) == told


async def test_an_address_has_a_role_once(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await added(tx, account)
        other = await added(tx, account, role=ContactRole.TECHNICAL)
        with refusing("contact_repeated"):
            await added(tx, account, email="PAY@riverbank.example")
        with refusing("contact_repeated"):
            await update_contact(tx, change(other, {"role": ContactRole.BILLING}))
        await added(tx, await an_account(tx, name="Other"))


async def test_who_has_not_seen_the_newest_version_changes_nothing(tenant):
    async with tenant.tx() as tx:
        contact = await added(tx, await an_account(tx))
        await update_contact(tx, change(contact, {"name": "First"}, expected_version=1))
        with refusing("contact_version_stale"):
            await update_contact(tx, change(contact, {"name": "Second"}, expected_version=1))
        with refusing("contact_version_stale"):
            await remove_contact(
                tx,
                RemoveContact(
                    account_id=contact.account_id, contact_id=contact.id, expected_version=1
                ),
            )


async def test_there_is_an_end_to_contacts(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        for number in range(MOST_CONTACTS):
            await added(tx, account, email=f"{number}@riverbank.example")
        with refusing("contacts_too_many"):
            await added(tx, account)


async def test_contacts_belong_to_their_account_and_tenant(tenant, other_tenant):
    async with tenant.tx() as tx:
        contact = await added(tx, await an_account(tx))
        other = await an_account(tx, name="Other")
        with refusing("contact_unknown"):
            await remove_contact(tx, RemoveContact(account_id=other.id, contact_id=contact.id))
    async with other_tenant.tx() as tx:
        assert await billing_contacts(tx, [contact.account_id]) == {}
        with refusing("account_unknown"):
            await update_contact(tx, change(contact, {"name": "Mine"}))
