"""Does a notification service get every request once, in order, and no type that it has stopped?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.model import RequestState
from billwright.features.notifications.port import (
    Notifier,
    ServiceRejected,
    ServiceRequest,
    ServiceUnavailable,
    TypeStopped,
)
from billwright.kernel.ids import new_id
from tests.conftest import Tenant
from tests.features.notifications.requesting import (
    ScriptedMailer,
    a_request,
    request,
    requests_of,
    the_account,
    work_with,
)

DAY = timedelta(days=1)


class ScriptedNotifier:
    """Takes every request, but for the first ones, for which it has a script of exceptions."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals: Sequence[Exception] = refusals
        self.asked: list[ServiceRequest] = []

    async def submit(self, asked: ServiceRequest) -> None:
        self.asked.append(asked)
        if len(self.asked) <= len(self.refusals):
            raise self.refusals[len(self.asked) - 1]


async def deliver(tenant: Tenant, notifier: ScriptedNotifier) -> int:
    mailer = ScriptedMailer()
    work = work_with(tenant, mailer)
    work = replace(work, providers={**work.providers, Notifier: notifier})
    delivered = await deliver_due_requests(work)
    assert mailer.tries == 0
    return delivered


async def test_the_service_gets_what_was_asked_for_instead_of_the_mailer(tenant):
    account, subject = await the_account(tenant), new_id()
    await request(tenant, a_request(account, subject_id=subject, priority=3))
    notifier = ScriptedNotifier()
    assert await deliver(tenant, notifier) == 1
    [asked], [stored] = notifier.asked, await requests_of(tenant)
    body = json.loads(asked.body)
    assert asked.id == stored.id
    assert body.pop("expires_at") == "2026-02-14T12:00:00Z"
    assert body == {
        "id": str(stored.id),
        "tenant": str(tenant.id),
        "type": "invoice.finalized.v1",
        "version": 1,
        "recipient": {"account_id": str(account.id), "role": "billing"},
        "locale": "en",
        "occurred_at": "2026-01-15T12:00:00Z",
        "subject_ref": {"type": "invoice", "id": str(subject)},
        "sequence": 1,
        "data": stored.data,
        "links": {},
        "dedup_key": f"invoice.finalized:{subject}",
        "priority": 3,
    }
    assert stored.state is RequestState.DELIVERED
    assert await deliver(tenant, notifier) == 0


async def test_what_is_not_taken_is_sent_again_and_what_is_refused_is_not(tenant, clock):
    account = await the_account(tenant)
    await request(tenant, a_request(account))
    notifier = ScriptedNotifier(ServiceUnavailable("away"), ServiceRejected("400"))
    assert await deliver(tenant, notifier) == 0
    [waiting] = await requests_of(tenant)
    assert (waiting.state, waiting.last_error) == (RequestState.PENDING, "away")
    clock.move_to(clock.now() + DAY)
    assert await deliver(tenant, notifier) == 0
    [dead] = await requests_of(tenant)
    assert (dead.state, dead.last_error) == (RequestState.DEAD, "400")
    assert notifier.asked[0].id == notifier.asked[1].id


async def test_a_type_that_is_stopped_is_not_sent_for_a_day(tenant, clock):
    account = await the_account(tenant)
    await request(tenant, a_request(account))
    notifier = ScriptedNotifier(TypeStopped("410"))
    await deliver(tenant, notifier)
    await request(tenant, a_request(account), a_request(account, type="payment.succeeded"))
    assert await deliver(tenant, notifier) == 1
    assert [json.loads(asked.body)["type"] for asked in notifier.asked] == [
        "invoice.finalized.v1",
        "payment.succeeded.v1",
    ]
    stopped, unsent, sent = await requests_of(tenant)
    assert (stopped.state, unsent.state, sent.state) == (
        RequestState.DEAD,
        RequestState.DEAD,
        RequestState.DELIVERED,
    )
    clock.move_to(clock.now() + DAY)
    await request(tenant, a_request(account))
    assert await deliver(tenant, notifier) == 1


async def test_what_one_tenant_stopped_the_other_one_still_wants(tenant, other_tenant):
    await request(tenant, a_request(await the_account(tenant)))
    await deliver(tenant, ScriptedNotifier(TypeStopped("410")))
    await request(other_tenant, a_request(await the_account(other_tenant)))
    assert await deliver(other_tenant, ScriptedNotifier()) == 1
