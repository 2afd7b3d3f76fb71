"""Which facts of billing are told to people?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.dunning.events import (
    DunningAccessChanged,
    DunningExhausted,
    DunningNoticeDue,
    DunningRecovered,
)
from billwright.features.invoicing.events import InvoiceFinalized
from billwright.features.notifications.messages import MessageType, amount_label, day_label
from billwright.features.notifications.model import NewRequest
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.features.payments.events import (
    PaymentActionRequired,
    PaymentMethodExpiring,
    PaymentSucceeded,
    RefundSucceeded,
)
from billwright.features.payments.model import StoredMethod
from billwright.features.payments.sql.reads_methods import chargeable_defaults
from billwright.features.subscriptions.events import (
    SubscriptionCanceled,
    SubscriptionStarted,
    SubscriptionTrialStarted,
)
from billwright.features.subscriptions.model import CancellationReason
from billwright.kernel.calendar import local_date
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Reaction, Recorded

_NOTICES = {
    "payment_missing": MessageType.DUNNING_PAYMENT_MISSING,
    "reminder": MessageType.DUNNING_REMINDER,
}
_RESTRICTIONS = {
    "degrade": MessageType.DUNNING_ACCESS_LIMITED,
    "read_only": MessageType.DUNNING_ACCESS_LIMITED,
    "revoke": MessageType.DUNNING_ACCESS_SUSPENDED,
}
_ENDS = {
    "cancel": MessageType.DUNNING_CANCELED,
    "mark_unpaid": MessageType.DUNNING_UNPAID,
}


async def announce_invoices(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Send invoices that ask for money; who is charged by themselves is told with what."""
    asking = [one for one in recorded if one.event.due_minor > 0]
    methods = await chargeable_defaults(tx, [one.event.account_id for one in asking])
    await _request(tx, asking, content_of=partial(_invoice, methods=methods))


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
    """Say that a subscription has ended; that it was not paid, the last notice about it has said."""
    others = [
        one for one in recorded if one.event.reason != CancellationReason.PAYMENT_FAILED.value
    ]
    await _request(tx, others, content_of=_end)


async def ask_to_confirm(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Ask for the confirmation without which a bank moves no money."""
    await _request(tx, recorded, content_of=_unconfirmed)


async def warn_of_expiry(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that the method with which money is collected ends soon."""
    await _request(tx, recorded, content_of=_expiry)


async def announce_refunds(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that money is on its way back."""
    await _request(tx, recorded, content_of=_refund)


async def send_dunning_notices(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that money is missing, when the policy says so."""
    await _request(tx, recorded, content_of=_notice)


async def announce_restrictions(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say what a debt leaves of access. That all is back is said once the debt is settled."""
    less = [one for one in recorded if one.event.effect in _RESTRICTIONS]
    await _request(tx, less, content_of=_restriction)


async def announce_ends_of_dunning(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say what has become of subscriptions that were never paid, unless they are left as they are."""
    ends = [one for one in recorded if one.event.action in _ENDS and one.event.subscription_ids]
    await _request(tx, ends, content_of=_exhaustion)


async def announce_recoveries(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a debt is settled."""
    await _request(tx, recorded, content_of=_recovery)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a message says, which thing it is about where that is not the event's own subject, and
    `once`, what it says only once where that is more than its type and the event's subject.
    """

    type: MessageType
    data: dict[str, str]
    subject: tuple[str, UUID] | None = None
    once: str | None = None


async def _request(
    tx: Tx, recorded: Sequence[Recorded], *, content_of: Callable[[Any, Account], _Content]
) -> None:
    """Ask for one message per event, to the accounts that can receive one."""
    if not recorded:
        return
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
                dedup_key=content.once or f"{content.type.value}:{event.subject_id}",
                occurred_at=one.occurred_at,
            )
        )
    await request_messages(tx, requests)


def _invoice(
    event: InvoiceFinalized, account: Account, *, methods: Mapping[UUID, StoredMethod]
) -> _Content:
    data = {
        "invoice_number": event.number,
        "amount_label": _amount(event.due_minor, event.currency, account=account),
        "due_on_label": day_label(event.due_on, locale=account.locale),
    }
    if account.id in methods:
        data["collection_label"] = methods[account.id].label
    return _Content(MessageType.INVOICE_FINALIZED, data)


def _payment(event: PaymentSucceeded, account: Account) -> _Content:
    data = {
        "invoice_number": event.invoice_number,
        "amount_label": _amount(event.amount_minor, event.currency, account=account),
        "paid_on_label": day_label(event.paid_on, locale=account.locale),
    }
    if event.unapplied_minor:
        data["credit_label"] = _amount(event.unapplied_minor, event.currency, account=account)
    return _Content(MessageType.PAYMENT_SUCCEEDED, data, ("invoice", event.invoice_id))


def _unconfirmed(event: PaymentActionRequired, account: Account) -> _Content:
    return _Content(
        MessageType.PAYMENT_ACTION_REQUIRED,
        {
            "invoice_number": event.invoice_number,
            "amount_label": _amount(event.amount_minor, event.currency, account=account),
            "expires_on_label": _day(event.expires_at, account),
        },
        ("invoice", event.invoice_id),
    )


def _expiry(event: PaymentMethodExpiring, account: Account) -> _Content:
    return _Content(
        MessageType.PAYMENT_METHOD_EXPIRING,
        {
            "method_label": event.label,
            "expires_on_label": day_label(event.expires_on, locale=account.locale),
        },
        # A bank renews a method that stays the same, and it expires again.
        once=f"payment_method.expiring:{event.subject_id}:{event.expires_on}",
    )


def _refund(event: RefundSucceeded, account: Account) -> _Content:
    return _Content(
        MessageType.REFUND_SUCCEEDED,
        {
            "invoice_number": event.invoice_number,
            "amount_label": _amount(event.amount_minor, event.currency, account=account),
        },
        ("invoice", event.invoice_id),
    )


def _notice(event: DunningNoticeDue, account: Account) -> _Content:
    data = {
        "invoice_number": event.invoice_number,
        "amount_label": _amount(event.due_minor, event.currency, account=account),
    }
    if event.next_attempt_at is not None:
        data["next_attempt_on_label"] = _day(event.next_attempt_at, account)
    return _Content(
        # The codes of a policy are the seller's own; what is not known is said in neutral words.
        _NOTICES.get(event.code, MessageType.DUNNING_NOTICE),
        data,
        ("invoice", event.invoice_id),
        once=f"dunning:{event.subject_id}:{event.step}:{event.code}",
    )


def _restriction(event: DunningAccessChanged, _account: Account) -> _Content:
    return _about_invoice(_RESTRICTIONS[event.effect], event)


def _exhaustion(event: DunningExhausted, _account: Account) -> _Content:
    return _about_invoice(_ENDS[event.action], event)


def _recovery(event: DunningRecovered, _account: Account) -> _Content:
    return _about_invoice(MessageType.DUNNING_RECOVERED, event)


def _about_invoice(
    message_type: MessageType, event: DunningAccessChanged | DunningExhausted | DunningRecovered
) -> _Content:
    data = {"invoice_number": event.invoice_number}
    return _Content(message_type, data, ("invoice", event.invoice_id))


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


def _amount(amount_minor: int, currency: str, *, account: Account) -> str:
    return amount_label(Money(amount_minor, currency_of(currency)), locale=account.locale)


def _day(instant: datetime, account: Account) -> str:
    return day_label(local_date(instant, account.zone), locale=account.locale)


REACTIONS = [
    Reaction("announce_invoices", InvoiceFinalized, announce_invoices),
    Reaction("confirm_payments", PaymentSucceeded, confirm_payments),
    Reaction("welcome_subscribers", SubscriptionStarted, welcome_subscribers),
    Reaction("welcome_triers", SubscriptionTrialStarted, welcome_triers),
    Reaction("confirm_cancellations", SubscriptionCanceled, confirm_cancellations),
    Reaction("ask_to_confirm", PaymentActionRequired, ask_to_confirm),
    Reaction("warn_of_expiry", PaymentMethodExpiring, warn_of_expiry),
    Reaction("announce_refunds", RefundSucceeded, announce_refunds),
    Reaction("send_dunning_notices", DunningNoticeDue, send_dunning_notices),
    Reaction("announce_restrictions", DunningAccessChanged, announce_restrictions),
    Reaction("announce_ends_of_dunning", DunningExhausted, announce_ends_of_dunning),
    Reaction("announce_recoveries", DunningRecovered, announce_recoveries),
]
