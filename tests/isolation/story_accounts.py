"""What does a tenant's story leave of what it notes, and of whom it writes to?"""

from __future__ import annotations

from billwright.features.accounts.operations.add_contact import AddContact, add_contact
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account


async def note_and_name(tenant: Tenant) -> None:
    """A customer with a contact subscribes, and everything carries the platform's own notes."""
    notes = {"tier": "gold"}
    async with tenant.tx() as tx:
        await a_plan(tx, "noted", metadata=notes)
        account = await an_account(tx, name="Noted", metadata=notes)
        await add_contact(
            tx, AddContact(account_id=account.id, name="Payables", email="pay@noted.example")
        )
        await a_subscription(tx, account, "noted", metadata=notes)
