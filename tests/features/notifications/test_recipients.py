"""Do messages go to those whom a customer has named for them, each once and in its language?"""

from __future__ import annotations

from typing import Any

from billwright.features.accounts.model import Account, Contact, ContactRole
from billwright.features.accounts.operations.add_contact import AddContact, add_contact
from billwright.features.accounts.operations.remove_contact import RemoveContact, remove_contact
from billwright.features.accounts.operations.update_contact import UpdateContact, update_contact
from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.model import RequestState
from billwright.features.notifications.port import MailUnavailable
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription
from tests.features.notifications.requesting import (
    ScriptedMailer,
    requests_of,
    run_reactions,
    the_account,
    work_with,
)


async def a_contact(tenant: Tenant, account: Account, name: str, **changes: Any) -> Contact:
    email = f"{name}@riverbank.example"
    async with tenant.tx() as tx:
        return await add_contact(
            tx, AddContact(account_id=account.id, name=name, email=email, **changes)
        )


async def subscribe(tenant: Tenant, account: Account, registry: Any) -> None:
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_subscription(tx, account)
    await run_reactions(tenant.database, registry)


async def test_billing_contacts_take_the_place_of_the_accounts_address(tenant, registry):
    account = await the_account(tenant)
    payable = await a_contact(tenant, account, "payable")
    buch = await a_contact(tenant, account, "buch", locale="de")
    await a_contact(tenant, account, "tech", role=ContactRole.TECHNICAL)
    await subscribe(tenant, account, registry)
    requests = await requests_of(tenant)
    # An invoice and a welcome, to two of the three.
    assert len({one.dedup_key for one in requests}) == len(requests) == 4
    assert {(one.contact_id, one.locale) for one in requests} == {
        (payable.id, account.locale),
        (buch.id, "de"),
    }
    assert {one.data["account_name"] for one in requests} == {account.name}
    amounts = {
        one.locale: one.data.get("amount_label") for one in requests if "invoice" in one.type
    }
    assert len(set(amounts.values())) == 2  # each language writes the same amount in its own way
    mailer = ScriptedMailer()
    await deliver_due_requests(work_with(tenant, mailer))
    await deliver_due_requests(work_with(tenant, mailer))
    assert {(one.recipient.email, one.recipient.name) for one in mailer.accepted} == {
        ("payable@riverbank.example", "payable"),
        ("buch@riverbank.example", "buch"),
    }
    assert len(mailer.accepted) == 4


async def test_repeated_reactions_ask_nobody_twice(tenant, registry):
    account = await the_account(tenant, email=None)
    await a_contact(tenant, account, "payable")
    await subscribe(tenant, account, registry)
    once = await requests_of(tenant)
    await run_reactions(tenant.database, registry)
    assert await requests_of(tenant) == once
    assert len(once) == 2  # the account has no address of its own, and needs none


async def test_an_address_that_does_not_work_keeps_nobody_else_waiting(tenant, registry):
    account = await the_account(tenant)
    await a_contact(tenant, account, "broken")
    await a_contact(tenant, account, "working")
    await subscribe(tenant, account, registry)
    mailer = ScriptedMailer(broken=[MailUnavailable("away")] * 9)
    for _ in range(3):
        await deliver_due_requests(work_with(tenant, mailer))
    assert {one.recipient.name for one in mailer.accepted} == {"working"}
    assert len(mailer.accepted) == 2


async def test_the_address_is_read_when_the_mail_leaves(tenant, registry):
    account = await the_account(tenant)
    moved = await a_contact(tenant, account, "old")
    gone = await a_contact(tenant, account, "gone")
    await subscribe(tenant, account, registry)
    async with tenant.tx() as tx:
        await update_contact(
            tx,
            UpdateContact(
                account_id=account.id,
                contact_id=moved.id,
                changes={"email": "new@riverbank.example"},
            ),
        )
        await remove_contact(tx, RemoveContact(account_id=account.id, contact_id=gone.id))
    mailer = ScriptedMailer()
    for _ in range(3):
        await deliver_due_requests(work_with(tenant, mailer))
    assert {one.recipient.email for one in mailer.accepted} == {"new@riverbank.example"}
    states = {(one.contact_id, one.state) for one in await requests_of(tenant)}
    assert states == {(moved.id, RequestState.DELIVERED), (gone.id, RequestState.DEAD)}
