"""How do messages reach people?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import structlog

from billwright.features.accounts.model import Account, Contact
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.accounts.sql.reads_contacts import contacts_by_id
from billwright.features.invoicing.sql.reads import still_due
from billwright.features.notifications.messages import (
    LEADING_TO_PAY,
    OVERTAKEN_BY_PAYMENT,
    MessageSender,
    MessageType,
    render_message,
    sender_of,
)
from billwright.features.notifications.model import NotificationRequest, Outcome, RequestState
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.operations.outcomes import ended, postponed
from billwright.features.notifications.operations.reach_users import ToUser, reach_users
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
from billwright.features.tenancy.sql.reads import find_seller
from billwright.kernel.ids import TenantId
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

_BATCH_SIZE = 10
# Longer than a whole batch may take, whose mails leave side by side.
_LEASE = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How messages leave, and what leads their readers to pay, and users to the console;
    `pages_offered` says whether a provider has a page to pay on, `box` makes the codes that users get.
    Where there is a service, it delivers them instead of the mailer.
    """

    channel: MailChannel
    links: PayLinks
    pages_offered: bool
    console: ConsoleLinks
    box: SecretBox
    service: Notifier | None = None


@dataclass(frozen=True, slots=True)
class _Letter:
    """A request, who gets it from whom, what it says that is stored nowhere, and where it leads; `over`
    says why it is not sent any more. Without a recipient there is nobody any more.
    """

    request: NotificationRequest
    tenant_id: TenantId
    recipient: MailAddress | None
    sender: MessageSender
    secrets: Mapping[str, str] = field(repr=False)
    links: Mapping[str, str]
    over: str | None
    is_stopped: bool

    @property
    def id(self) -> UUID:
        """The request's own, under which a repeated mail is known to be the same. What has another
        secret each time is another mail, which whoever has seen the id must not leave out.
        """
        if not self.secrets or self.request.attempts == 1:
            return self.request.id
        return uuid5(self.request.id, str(self.request.attempts))


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
    # By itself: whoever deletes a user locks the user first and then the requests, and a code locks the
    # user, so that claims and codes in one transaction could wait for a deletion that waits for them.
    async with open_tx() as tx:
        letters = await _letters(tx, claimed, outgoing=outgoing, now=now)
    outcomes = await asyncio.gather(
        *(_deliver(letter, outgoing=outgoing, now=now) for letter in letters)
    )
    async with open_tx() as tx:
        await record_outcomes(tx, outcomes)
        await stop_types(tx, {one.stops_type for one in outcomes if one.stops_type is not None})
    return Counter(outcome.state for outcome in outcomes)


async def _letters(
    tx: Tx, claimed: Sequence[NotificationRequest], *, outgoing: Outgoing, now: datetime
) -> list[_Letter]:
    recipients = await _recipients(tx, claimed)
    seller = await find_seller(tx)
    sender = sender_of(None if seller is None else seller.party)
    due = await still_due(tx, [one.subject_id for one in claimed if one.subject_type == "invoice"])
    stopped = await stopped_types(tx, since=now - STOPPED_FOR) if outgoing.service else ()
    wanted = [one for one in claimed if one.expires_at > now and one.type not in stopped]
    users = await reach_users(tx, wanted, box=outgoing.box, console=outgoing.console)
    letters = []
    for request in claimed:
        to_user, links, over = users.get(request.id, ToUser()), {}, None
        is_due = request.subject_id in due
        if is_due and _leads_to_pay(request, pages_offered=outgoing.pages_offered):
            target = PayTarget(tx.tenant_id, request.subject_id)
            links["pay"] = outgoing.links.link_to(target)
        if request.type in OVERTAKEN_BY_PAYMENT and not is_due:
            over = "nothing is due any more"
        letters.append(
            _Letter(
                request,
                tx.tenant_id,
                recipients.get(request.id),
                sender,
                to_user.secrets,
                {**links, **to_user.links},
                over or to_user.over,
                request.type in stopped,
            )
        )
    return letters


async def _recipients(tx: Tx, claimed: Sequence[NotificationRequest]) -> dict[UUID, MailAddress]:
    """Where each request goes: the addresses are read now, so that a corrected one is used. A user's
    is the one that was meant.
    """
    account_ids = [one.account_id for one in claimed if one.account_id is not None]
    accounts = await accounts_by_id(tx, account_ids) if account_ids else {}
    named = [one.contact_id for one in claimed if one.contact_id is not None]
    contacts = await contacts_by_id(tx, named) if named else {}
    found: dict[UUID, MailAddress] = {}
    for request in claimed:
        who: Account | Contact | None = None
        if request.to_address is not None:
            found[request.id] = MailAddress(request.to_address)
        elif request.contact_id is not None:
            who = contacts.get(request.contact_id)
        elif request.account_id is not None:
            who = accounts[request.account_id]
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
        data = {**request.data, **letter.secrets}
        submission = Submission(request, letter.tenant_id, letter.id, data, letter.links)
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
    if letter.over is not None:
        return ended(request, RequestState.EXPIRED, error=letter.over)
    if letter.recipient is None and (outgoing.service is None or request.contact_id is not None):
        return ended(request, RequestState.DEAD, error="there is no mail address any more")
    if letter.is_stopped:
        return ended(request, RequestState.DEAD, error="the service wants none of this type")
    return None


def _message(letter: _Letter, *, sender_email: str, now: datetime) -> Message:
    request, recipient, sender = letter.request, letter.recipient, letter.sender
    assert recipient is not None  # noqa: S101 - without one the request has ended
    links = {f"{name}_url": address for name, address in letter.links.items()}
    rendered = render_message(
        MessageType(request.type),
        locale=request.locale,
        data={**request.data, **letter.secrets, **links},
        sender=sender,
    )
    return Message(
        id=letter.id,
        sender=MailAddress(sender_email, sender.name),
        recipient=recipient,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        sent_at=now,
        headers=(("Reply-To", sender.contact_email),) if sender.contact_email else (),
    )
