"""What do tests of delivery start from? A few requests and a mailer that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from billwright.features.accounts.model import Account
from billwright.features.notifications.messages import MessageType
from billwright.features.notifications.model import NewRequest, NotificationRequest
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.features.notifications.port import MailChannel, Message
from billwright.features.notifications.sql.reads import RequestQuery, list_requests
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.pay_link import PayLinks
from billwright.kernel.ids import TenantId, new_id
from billwright.runtime.db.database import Database
from billwright.runtime.queue.reacting import react
from billwright.runtime.queue.registry import Registry, Work
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, NOON, Tenant
from tests.features.billing import an_account

SENDER_EMAIL = "billing@mail.example"
PAY_LINKS = PayLinks("https://billing.example.com", BOX)
CONSOLE_LINKS = ConsoleLinks("https://console.example.com")


class ScriptedMailer:
    """Accepts every mail, but for those whose recipient has a script of exceptions left."""

    def __init__(self, **refusals: Sequence[Exception]) -> None:
        self.refusals = {name: list(errors) for name, errors in refusals.items()}
        self.accepted: list[Message] = []
        self.tries = 0

    async def deliver(self, message: Message) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if errors := self.refusals.get(message.recipient.email.partition("@")[0]):
            raise errors.pop(0)
        self.accepted.append(message)


def a_request(account: Account, **changes: Any) -> NewRequest:
    subject_id = changes.get("subject_id") or new_id()
    values: dict[str, Any] = {
        "type": MessageType.INVOICE_FINALIZED.value,
        "account_id": account.id,
        "locale": "en",
        "subject_type": "invoice",
        "subject_id": subject_id,
        "data": {
            "account_name": account.name,
            "invoice_number": "INV-2026-00001",
            "amount_label": "€46.29",
            "due_on_label": "January 29, 2026",
        },
        "dedup_key": f"invoice.finalized:{subject_id}",
        "occurred_at": NOON,
    }
    return NewRequest(**{**values, **changes})


async def the_account(tenant: Tenant, name: str = "books", **changes: Any) -> Account:
    async with tenant.tx() as tx:
        return await an_account(tx, **{"email": f"{name}@riverbank.example", **changes})


async def request(tenant: Tenant, *requests: NewRequest) -> int:
    async with tenant.tx() as tx:
        return await request_messages(tx, requests)


async def requests_of(tenant: Tenant, account_id: UUID | None = None) -> list[NotificationRequest]:
    """Requests in the order in which they were made."""
    async with tenant.tx() as tx:
        query = RequestQuery(account_id=account_id)
        return (await list_requests(tx, query, before=None, limit=1000))[::-1]


def work_with(tenant: Tenant, mailer: Any, *, payments: PaymentProviders | None = None) -> Work:
    return replace(tenant.work(), providers=wired(mailer, payments=payments))


def wired(mailer: Any, *, payments: PaymentProviders | None = None) -> dict[type[Any], Any]:
    """What delivery works with; without payment providers there is no page to pay on."""
    return {
        MailChannel: MailChannel(mailer, SENDER_EMAIL),
        PayLinks: PAY_LINKS,
        ConsoleLinks: CONSOLE_LINKS,
        SecretBox: BOX,
        PaymentProviders: payments or PaymentProviders(),
    }


async def run_reactions(database: Database, registry: Registry) -> None:
    """Every reaction that was asked for so far, as the worker would run it."""
    for row in await database.unscoped(
        "select payload from queue.pgqueuer where entrypoint = 'react' order by id"
    ):
        body = msgspec.json.decode(row["payload"])
        await react(
            database,
            registry,
            tenant_id=TenantId(UUID(body["tenant_id"])),
            payload=body["payload"],
        )
