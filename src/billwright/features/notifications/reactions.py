"""Which facts of billing are told to people?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.invoicing.events import InvoiceFinalized
from billwright.features.notifications.messages import MessageType, amount_label, day_label
from billwright.features.notifications.model import NewRequest
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.features.payments.events import PaymentSucceeded
from billwright.features.subscriptions.events import (
    SubscriptionCanceled,
    SubscriptionStarted,
    SubscriptionTrialStarted,
)
from billwright.kernel.calendar import local_date
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Reaction, Recorded


async def announce_invoices(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Send invoices that ask for money."""
    asking = [one for one in recorded if one.event.due_minor > 0]
    await _request(tx, asking, content_of=_invoice)


async def confirm_payments(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Thank for money that has come."""
    await _request(tx, recorded, content_of=_payment)


async def welcome_subscribers(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a subscription has begun."""
    await _request(tx, recorded, content_of=_start)


async def welcome_triers(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a trial has begun; its paid life is the same subscription, which is welcomed once."""
    await _request(tx, recorded, content_of=_trial)


async def confirm_cancellations(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a subscription has ended."""
    await _request(tx, recorded, content_of=_end)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a message says, and which thing it is about where that is not the event's own subject."""

    type: MessageType
    data: dict[str, str]
    subject: tuple[str, UUID] | None = None


async def _request(
    tx: Tx, recorded: Sequence[Recorded], *, content_of: Callable[[Any, Account], _Content]
) -> None:
    """Ask for one message per event, to the accounts that can receive one."""
    accounts = await accounts_by_id(tx, list({one.event.account_id for one in recorded}))
    requests = []
    for one in recorded:
        event, account = one.event, accounts[one.event.account_id]
        if account.email is None:
            continue
        content = content_of(event, account)
        subject_type, subject_id = content.subject or (event.subject_type, event.subject_id)
        requests.append(
            NewRequest(
                type=content.type.value,
                account_id=account.id,
                locale=account.locale,
                subject_type=subject_type,
                subject_id=subject_id,
                data={"account_name": account.name, **content.data},
                dedup_key=f"{content.type.value}:{event.subject_id}",
                occurred_at=one.occurred_at,
            )
        )
    await request_messages(tx, requests)


def _invoice(event: InvoiceFinalized, account: Account) -> _Content:
    due = Money(event.due_minor, currency_of(event.currency))
    return _Content(
        MessageType.INVOICE_FINALIZED,
        {
            "invoice_number": event.number,
            "amount_label": amount_label(due, locale=account.locale),
            "due_on_label": day_label(event.due_on, locale=account.locale),
        },
    )


def _payment(event: PaymentSucceeded, account: Account) -> _Content:
    paid = Money(event.amount_minor, currency_of(event.currency))
    return _Content(
        MessageType.PAYMENT_SUCCEEDED,
        {
            "invoice_number": event.invoice_number,
            "amount_label": amount_label(paid, locale=account.locale),
            "paid_on_label": day_label(event.paid_on, locale=account.locale),
        },
        ("invoice", event.invoice_id),
    )


def _start(event: SubscriptionStarted, account: Account) -> _Content:
    starts_on = local_date(event.period_start, account.zone)
    return _Content(
        MessageType.SUBSCRIPTION_STARTED,
        {
            "plan_name": event.plan_name,
            "effective_on_label": day_label(starts_on, locale=account.locale),
        },
    )


def _trial(event: SubscriptionTrialStarted, account: Account) -> _Content:
    starts_on = local_date(event.trial_start, account.zone)
    last_free_day = local_date(event.trial_end - timedelta(microseconds=1), account.zone)
    return _Content(
        MessageType.SUBSCRIPTION_STARTED,
        {
            "plan_name": event.plan_name,
            "effective_on_label": day_label(starts_on, locale=account.locale),
            "trial_ends_on_label": day_label(last_free_day, locale=account.locale),
        },
    )


def _end(event: SubscriptionCanceled, account: Account) -> _Content:
    # An end at midnight means that the day before was the last one.
    last_day = local_date(event.ended_at - timedelta(microseconds=1), account.zone)
    return _Content(
        MessageType.SUBSCRIPTION_CANCELED,
        {
            "plan_name": event.plan_name,
            "effective_on_label": day_label(last_day, locale=account.locale),
        },
    )


REACTIONS = [
    Reaction("announce_invoices", InvoiceFinalized, announce_invoices),
    Reaction("confirm_payments", PaymentSucceeded, confirm_payments),
    Reaction("welcome_subscribers", SubscriptionStarted, welcome_subscribers),
    Reaction("welcome_triers", SubscriptionTrialStarted, welcome_triers),
    Reaction("confirm_cancellations", SubscriptionCanceled, confirm_cancellations),
]
