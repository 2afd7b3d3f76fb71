"""How do messages reach people?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account, Contact
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.accounts.sql.reads_contacts import contacts_by_id
from billwright.features.invoicing.sql.reads import still_due
from billwright.features.notifications.messages import (
    LEADING_TO_PAY,
    OVERTAKEN_BY_PAYMENT,
    MessageType,
    render_message,
    sender_of,
)
from billwright.features.notifications.model import NotificationRequest, Outcome, RequestState
from billwright.features.notifications.operations.outcomes import ended, postponed
from billwright.features.notifications.operations.submit_request import (
    STOPPED_FOR,
    Submission,
    submit_request,
)
from billwright.features.notifications.port import (
    MailAddress,
    MailChannel,
    MailRejected,
    MailUnavailable,
    Message,
    Notifier,
)
from billwright.features.notifications.sql.reads import stopped_types
from billwright.features.notifications.sql.writes import (
    claim_due_requests,
    record_outcomes,
    stop_types,
)
from billwright.features.payments.operations.pay_link import PayLinks, PayTarget
from billwright.features.tenancy.model import SellerParty
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.ids import TenantId
from billwright.runtime.db.tx import Tx

_BATCH_SIZE = 10
# Longer than a whole batch may take, whose mails leave side by side.
_LEASE = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How messages leave, and what leads their readers to pay; `pages_offered` says whether a provider
    has a page to pay on. Where there is a service, it delivers them instead of the mailer.
    """

    channel: MailChannel
    links: PayLinks
    pages_offered: bool
    service: Notifier | None = None


@dataclass(frozen=True, slots=True)
class _Letter:
    """A request, who gets it from whom, and where they can pay what it is about, if they have to; without
    a recipient there is nobody any more.
    """

    request: NotificationRequest
    tenant_id: TenantId
    recipient: MailAddress | None
    seller: SellerParty
    is_due: bool
    pay_url: str | None
    is_stopped: bool


async def deliver_due_requests(
    open_tx: Callable[[], AbstractAsyncContextManager[Tx]], outgoing: Outgoing
) -> Counter[RequestState]:
    """Hand over one batch of messages that are due, outside any transaction, and record what became
    of each. Returns how many are in which state now; empty when nothing was due.
    """
    async with open_tx() as tx:
        now = tx.now
        claimed = await claim_due_requests(tx, leased_until=now + _LEASE, limit=_BATCH_SIZE)
        if not claimed:
            return Counter()
        letters = await _letters(tx, claimed, outgoing=outgoing)
    outcomes = await asyncio.gather(
        *(_deliver(letter, outgoing=outgoing, now=now) for letter in letters)
    )
    async with open_tx() as tx:
        await record_outcomes(tx, outcomes)
        await stop_types(tx, {one.stops_type for one in outcomes if one.stops_type is not None})
    return Counter(outcome.state for outcome in outcomes)


async def _letters(
    tx: Tx, claimed: Sequence[NotificationRequest], *, outgoing: Outgoing
) -> list[_Letter]:
    recipients = await _recipients(tx, claimed)
    seller = (await the_seller(tx)).party
    due = await still_due(tx, [one.subject_id for one in claimed if one.subject_type == "invoice"])
    stopped = await stopped_types(tx, since=tx.now - STOPPED_FOR) if outgoing.service else ()
    letters = []
    for request in claimed:
        is_due, pay_url = request.subject_id in due, None
        if is_due and _leads_to_pay(request, pages_offered=outgoing.pages_offered):
            pay_url = outgoing.links.link_to(PayTarget(tx.tenant_id, request.subject_id))
        letters.append(
            _Letter(
                request,
                tx.tenant_id,
                recipients.get(request.id),
                seller,
                is_due,
                pay_url,
                request.type in stopped,
            )
        )
    return letters


async def _recipients(tx: Tx, claimed: Sequence[NotificationRequest]) -> dict[UUID, MailAddress]:
    """Where each request goes: the addresses are read now, so that a corrected one is used."""
    accounts = await accounts_by_id(tx, [one.account_id for one in claimed])
    named = [one.contact_id for one in claimed if one.contact_id is not None]
    contacts = await contacts_by_id(tx, named) if named else {}
    found: dict[UUID, MailAddress] = {}
    for request in claimed:
        who: Account | Contact | None = accounts[request.account_id]
        if request.contact_id is not None:
            who = contacts.get(request.contact_id)
        if who is not None and who.email is not None:
            found[request.id] = MailAddress(who.email, who.name)
    return found


def _leads_to_pay(request: NotificationRequest, *, pages_offered: bool) -> bool:
    """Whether a message has the link. An invoice itself says where to transfer to, so that it needs
    none without a page; and who is charged without doing anything must not be led to pay as well.
    """
    if request.type == MessageType.INVOICE_FINALIZED.value:
        return pages_offered and "collection_label" not in request.data
    return request.type in LEADING_TO_PAY


async def _deliver(letter: _Letter, *, outgoing: Outgoing, now: datetime) -> Outcome:
    request, channel = letter.request, outgoing.channel
    if (outcome := _ended_before(letter, outgoing=outgoing, now=now)) is not None:
        return outcome
    if outgoing.service is not None:
        submission = Submission(request, letter.tenant_id, letter.pay_url)
        return await submit_request(submission, service=outgoing.service, now=now)
    try:
        message = _message(letter, sender_email=channel.sender_email, now=now)
        await channel.mailer.deliver(message)
    except MailRejected as error:
        _log.warning("message refused", request_id=str(request.id), reason=str(error))
        return ended(request, RequestState.DEAD, error=str(error))
    except MailUnavailable as error:
        return postponed(request, error, now=now)
    except Exception as error:  # noqa: BLE001 - the others leave, this one follows once it is mended
        _log.exception("message not written", request_id=str(request.id))
        return postponed(request, error, now=now)
    return ended(request, RequestState.DELIVERED)


def _ended_before(letter: _Letter, *, outgoing: Outgoing, now: datetime) -> Outcome | None:
    """The outcome of a request that is not to be delivered any more."""
    request = letter.request
    if request.expires_at <= now:
        return ended(request, RequestState.EXPIRED, error=request.last_error)
    if request.type in OVERTAKEN_BY_PAYMENT and not letter.is_due:
        return ended(request, RequestState.EXPIRED, error="nothing is due any more")
    if letter.recipient is None and (outgoing.service is None or request.contact_id is not None):
        return ended(request, RequestState.DEAD, error="there is no mail address any more")
    if letter.is_stopped:
        return ended(request, RequestState.DEAD, error="the service wants none of this type")
    return None


def _message(letter: _Letter, *, sender_email: str, now: datetime) -> Message:
    request, recipient, seller = letter.request, letter.recipient, letter.seller
    assert recipient is not None  # noqa: S101 - without one the request has ended
    rendered = render_message(
        MessageType(request.type),
        locale=request.locale,
        data=request.data | ({"pay_url": letter.pay_url} if letter.pay_url else {}),
        sender=sender_of(seller),
    )
    return Message(
        id=request.id,
        sender=MailAddress(sender_email, seller.name),
        recipient=recipient,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        sent_at=now,
        headers=(("Reply-To", seller.email),) if seller.email else (),
    )
