"""What do tests of webhooks start from? Endpoints, events, and a sender that follows a script."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from billwright.features.catalog.events import PlanArchived
from billwright.features.webhooks.jobs import dispatch_due_webhooks
from billwright.features.webhooks.model import (
    Attempt,
    Delivery,
    Endpoint,
    EventPage,
    EventQuery,
    TargetPolicy,
    WebhookAnswer,
)
from billwright.features.webhooks.operations.create_endpoint import CreateEndpoint, create_endpoint
from billwright.features.webhooks.operations.read_event_log import read_event_log
from billwright.features.webhooks.port import WebhookMessage, WebhookSender
from billwright.features.webhooks.sql.reads import endpoint_by_id, list_attempts, list_deliveries
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx
from tests.conftest import BOX, Tenant

URL = "https://platform.example.com/billing-events"
ACCEPTED = WebhookAnswer(duration_ms=7, status=204)
SILENT = WebhookAnswer(duration_ms=15_000, error="no answer within 15 seconds")


def answered(status: int, **facts: Any) -> WebhookAnswer:
    return WebhookAnswer(duration_ms=7, status=status, **facts)


class ScriptedSender:
    """Answers each address from its script, and then always `otherwise`."""

    def __init__(
        self, script: Sequence[WebhookAnswer] = (), *, otherwise: WebhookAnswer = ACCEPTED
    ) -> None:
        self.script = list(script)
        self.otherwise = otherwise
        self.sent: list[WebhookMessage] = []
        self.under_way: dict[str, int] = defaultdict(int)
        self.most_at_once = 0

    async def send(self, message: WebhookMessage) -> WebhookAnswer:
        self.sent.append(message)
        self.under_way[message.url] += 1
        self.most_at_once = max(self.most_at_once, self.under_way[message.url])
        await asyncio.sleep(0.01)
        self.under_way[message.url] -= 1
        return self.script.pop(0) if self.script else self.otherwise

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.sent]

    @property
    def names(self) -> list[str]:
        """The codes of the plans that the events were about."""
        return [body["data"]["data"]["code"] for body in self.bodies]


def publish(tx: Tx, code: str, *, subject_id: UUID | None = None) -> None:
    subject_id = subject_id or new_id()
    tx.publish(PlanArchived(subject_id=subject_id, account_id=None, code=code, name="A plan"))


async def happen(tenant: Tenant, *codes: str, subject_id: UUID | None = None) -> None:
    """Events in one transaction, by the code of the plan that they are about."""
    async with tenant.tx() as tx:
        for code in codes:
            publish(tx, code, subject_id=subject_id)


async def an_endpoint(tenant: Tenant, url: str = URL, **values: Any) -> Endpoint:
    async with tenant.tx() as tx:
        return await create_endpoint(
            tx, CreateEndpoint(url=url, **values), box=BOX, targets=TargetPolicy()
        )


async def dispatch(tenant: Tenant, sender: Any) -> int:
    work = tenant.work()
    wired = {**work.providers, WebhookSender: sender}
    return await dispatch_due_webhooks(replace(work, providers=wired))


async def endpoint_of(tenant: Tenant, endpoint: Endpoint) -> Endpoint:
    async with tenant.tx() as tx:
        return await endpoint_by_id(tx, endpoint.id)


async def deliveries_of(tenant: Tenant, endpoint: Endpoint) -> list[Delivery]:
    """In the order of the log."""
    async with tenant.tx() as tx:
        found = await list_deliveries(tx, endpoint.id, before=None, limit=10_000)
    return sorted(found, key=lambda one: one.position)


async def attempts_of(tenant: Tenant, endpoint: Endpoint) -> list[Attempt]:
    """In the order in which they were made."""
    async with tenant.tx() as tx:
        found = await list_attempts(tx, before=None, limit=10_000, endpoint_id=endpoint.id)
    return found[::-1]


async def read_log(tenant: Tenant, *, after: int | None = None, **query: Any) -> EventPage:
    return await read_event_log(tenant.tx, EventQuery(after=after, **{"limit": 100, **query}))


def codes_of(page: EventPage) -> list[str]:
    return [event.data["code"] for event in page.events]
