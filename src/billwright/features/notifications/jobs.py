"""When do messages leave?"""

from __future__ import annotations

from billwright.features.notifications.model import RequestState
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.operations.deliver_due_requests import Outgoing
from billwright.features.notifications.operations.deliver_due_requests import (
    deliver_due_requests as deliver_batch,
)
from billwright.features.notifications.operations.request_messages import DELIVER_NOTIFICATIONS
from billwright.features.notifications.port import MailChannel, Notifier
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.pay_link import PayLinks, page_provider
from billwright.runtime.queue.registry import Job, Sweep, Work
from billwright.runtime.secrets import SecretBox


async def deliver_due_requests(work: Work) -> int:
    """Deliver what is due, batch by batch; returns how many messages were accepted.

    A batch of which nothing was accepted or refused ends the run: the mail server is away, and the
    next run finds out whether it is back.
    """
    outgoing = Outgoing(
        work.provider(MailChannel),
        work.provider(PayLinks),
        pages_offered=page_provider(work.provider(PaymentProviders)) is not None,
        console=work.provider(ConsoleLinks),
        box=work.provider(SecretBox),
        service=work.providers.get(Notifier),
    )
    delivered = 0
    while batch := await deliver_batch(work.tx, outgoing):
        delivered += batch[RequestState.DELIVERED]
        if set(batch) == {RequestState.PENDING}:
            break
    return delivered


async def deliver_notifications(work: Work, _payload: None) -> None:
    """Deliver what has just been asked for."""
    await deliver_due_requests(work)


SWEEPS = [Sweep(name="deliver_due_requests", cron="* * * * *", run=deliver_due_requests)]
JOBS = [Job(name=DELIVER_NOTIFICATIONS, run=deliver_notifications)]
