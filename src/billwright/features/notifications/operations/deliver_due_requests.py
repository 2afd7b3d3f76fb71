"""How do messages reach people?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.notifications.messages import MessageSender, MessageType, render_message
from billwright.features.notifications.model import NotificationRequest, Outcome, RequestState
from billwright.features.notifications.port import (
    MailAddress,
    MailChannel,
    MailRejected,
    MailUnavailable,
    Message,
)
from billwright.features.notifications.rules.next_attempt import next_attempt_at
from billwright.features.notifications.sql.writes import claim_due_requests, record_outcomes
from billwright.features.tenancy.model import SellerParty
from billwright.features.tenancy.sql.reads import the_seller
from billwright.runtime.db.tx import Tx

_BATCH_SIZE = 10
# Longer than a whole batch may take, whose mails leave side by side.
_LEASE = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


async def deliver_due_requests(
    open_tx: Callable[[], AbstractAsyncContextManager[Tx]], *, channel: MailChannel
) -> Counter[RequestState]:
    """Hand over one batch of messages that are due, outside any transaction, and record what became
    of each. Returns how many are in which state now; empty when nothing was due.
    """
    async with open_tx() as tx:
        now = tx.now
        claimed = await claim_due_requests(tx, leased_until=now + _LEASE, limit=_BATCH_SIZE)
        if not claimed:
            return Counter()
        accounts = await accounts_by_id(tx, [request.account_id for request in claimed])
        seller = (await the_seller(tx)).party
    outcomes = await asyncio.gather(
        *(
            _deliver(request, accounts[request.account_id], seller=seller, channel=channel, now=now)
            for request in claimed
        )
    )
    async with open_tx() as tx:
        await record_outcomes(tx, outcomes)
    return Counter(outcome.state for outcome in outcomes)


async def _deliver(
    request: NotificationRequest,
    account: Account,
    *,
    seller: SellerParty,
    channel: MailChannel,
    now: datetime,
) -> Outcome:
    if request.expires_at <= now:
        return _ended(request, RequestState.EXPIRED, error=request.last_error)
    if account.email is None:
        return _ended(request, RequestState.DEAD, error="the account has no mail address any more")
    try:
        message = _message(
            request,
            MailAddress(account.email, account.name),
            seller=seller,
            sender_email=channel.sender_email,
            now=now,
        )
        await channel.mailer.deliver(message)
    except MailRejected as error:
        _log.warning("message refused", request_id=str(request.id), reason=str(error))
        return _ended(request, RequestState.DEAD, error=str(error))
    except MailUnavailable as error:
        return _postponed(request, error, now=now)
    except Exception as error:  # noqa: BLE001 - the others leave, this one follows once it is mended
        _log.exception("message not written", request_id=str(request.id))
        return _postponed(request, error, now=now)
    return _ended(request, RequestState.DELIVERED)


def _message(
    request: NotificationRequest,
    recipient: MailAddress,
    *,
    seller: SellerParty,
    sender_email: str,
    now: datetime,
) -> Message:
    rendered = render_message(
        MessageType(request.type),
        locale=request.locale,
        data=request.data,
        sender=MessageSender(seller.name, seller.email or None, _legal_lines(seller)),
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


def _legal_lines(seller: SellerParty) -> tuple[str, ...]:
    """What stands at the foot of a business letter."""
    address = seller.address
    place = f"{address.postal_code} {address.city}".strip()
    street = ", ".join(part for part in (address.line1, address.line2, place) if part)
    lines = (street, seller.register, seller.tax_id, seller.legal_note)
    return tuple(line for line in lines if line)


def _ended(
    request: NotificationRequest, state: RequestState, *, error: str | None = None
) -> Outcome:
    return Outcome(request_id=request.id, attempts=request.attempts, state=state, error=error)


def _postponed(request: NotificationRequest, error: Exception, *, now: datetime) -> Outcome:
    again_at = next_attempt_at(request.id, attempts=request.attempts, now=now)
    if again_at is None:
        _log.warning("message given up", request_id=str(request.id), reason=str(error))
    return Outcome(
        request_id=request.id,
        attempts=request.attempts,
        state=RequestState.PENDING if again_at else RequestState.DEAD,
        next_attempt_at=again_at,
        error=str(error),
    )
