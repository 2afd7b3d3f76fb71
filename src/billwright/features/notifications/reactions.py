"""Which facts of billing are told to people?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.dunning.events import (
    DunningAccessChanged,
    DunningExhausted,
    DunningNoticeDue,
    DunningRecovered,
)
from billwright.features.entitlements.events import LimitReached
from billwright.features.identity.events import (
    EmailChanged,
    EmailConfirmationRequested,
    PasswordResetRequested,
    RegistrationRepeated,
)
from billwright.features.invoicing.events import InvoiceFinalized
from billwright.features.notifications.messages import (
    MessageType,
    amount_label,
    day_label,
    quantity_label,
)
from billwright.features.notifications.operations.send_invoice import invoice_data
from billwright.features.notifications.operations.tell_accounts import Content, tell_accounts
from billwright.features.notifications.operations.tell_users import tell_users
from billwright.features.payment_methods.events import PaymentMethodExpiring
from billwright.features.payment_methods.model import StoredMethod
from billwright.features.payment_methods.sql.reads import chargeable_defaults
from billwright.features.payments.events import PaymentActionRequired, PaymentSucceeded
from billwright.features.refunds.events import RefundSucceeded
from billwright.features.subscriptions.events import (
    SubscriptionCanceled,
    SubscriptionRenewalUpcoming,
    SubscriptionStarted,
    SubscriptionTrialEnding,
    SubscriptionTrialStarted,
)
from billwright.features.subscriptions.model import Boundary, CancellationReason
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
    await tell_accounts(tx, asking, content_of=partial(_invoice, methods=methods))


async def confirm_payments(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Thank for money that has come."""
    await tell_accounts(tx, recorded, content_of=_payment)


async def welcome_subscribers(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a subscription has begun."""
    await tell_accounts(tx, recorded, content_of=_start)


async def welcome_triers(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a trial has begun; its paid life is the same subscription, which is welcomed once."""
    await tell_accounts(tx, recorded, content_of=_trial)


async def remind_of_trials(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a trial ends, and what is charged then and how, or what is missing for that."""
    methods = await chargeable_defaults(tx, [one.event.account_id for one in recorded])
    await tell_accounts(tx, recorded, content_of=partial(_trial_end, methods=methods))


async def remind_of_renewals(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a long period is renewed, and what is charged then and how."""
    methods = await chargeable_defaults(tx, [one.event.account_id for one in recorded])
    await tell_accounts(tx, recorded, content_of=partial(_renewal, methods=methods))


async def confirm_cancellations(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a subscription has ended; that it was not paid, the last notice about it has said."""
    others = [
        one for one in recorded if one.event.reason != CancellationReason.PAYMENT_FAILED.value
    ]
    await tell_accounts(tx, others, content_of=_end)


async def ask_to_confirm(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Ask for the confirmation without which a bank moves no money."""
    await tell_accounts(tx, recorded, content_of=_unconfirmed)


async def warn_of_expiry(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that the method with which money is collected ends soon."""
    await tell_accounts(tx, recorded, content_of=_expiry)


async def announce_limits(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that all of something is used that a limit counts."""
    await tell_accounts(tx, recorded, content_of=_limit)


async def announce_refunds(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that money is on its way back."""
    await tell_accounts(tx, recorded, content_of=_refund)


async def send_dunning_notices(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that money is missing, when the policy says so."""
    await tell_accounts(tx, recorded, content_of=_notice)


async def announce_restrictions(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say what a debt leaves of access. That all is back is said once the debt is settled."""
    less = [one for one in recorded if one.event.effect in _RESTRICTIONS]
    await tell_accounts(tx, less, content_of=_restriction)


async def announce_ends_of_dunning(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say what has become of subscriptions that were never paid, unless they are left as they are."""
    ends = [one for one in recorded if one.event.action in _ENDS and one.event.subscription_ids]
    await tell_accounts(tx, ends, content_of=_exhaustion)


async def announce_recoveries(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Say that a debt is settled."""
    await tell_accounts(tx, recorded, content_of=_recovery)


def _invoice(
    event: InvoiceFinalized, account: Account, *, methods: Mapping[UUID, StoredMethod]
) -> Content:
    data = invoice_data(
        number=event.number,
        due=Money(event.due_minor, currency_of(event.currency)),
        due_on=event.due_on,
        locale=account.locale,
        method=methods.get(account.id),
    )
    return Content(MessageType.INVOICE_FINALIZED, data)


def _payment(event: PaymentSucceeded, account: Account) -> Content:
    data = {
        "invoice_number": event.invoice_number,
        "amount_label": _amount(event.amount_minor, event.currency, account=account),
        "paid_on_label": day_label(event.paid_on, locale=account.locale),
    }
    if event.unapplied_minor:
        data["credit_label"] = _amount(event.unapplied_minor, event.currency, account=account)
    return Content(MessageType.PAYMENT_SUCCEEDED, data, ("invoice", event.invoice_id))


def _unconfirmed(event: PaymentActionRequired, account: Account) -> Content:
    return Content(
        MessageType.PAYMENT_ACTION_REQUIRED,
        {
            "invoice_number": event.invoice_number,
            "amount_label": _amount(event.amount_minor, event.currency, account=account),
            "expires_on_label": _day(event.expires_at, account),
        },
        ("invoice", event.invoice_id),
    )


def _expiry(event: PaymentMethodExpiring, account: Account) -> Content:
    return Content(
        MessageType.PAYMENT_METHOD_EXPIRING,
        {
            "method_label": event.label,
            "expires_on_label": day_label(event.expires_on, locale=account.locale),
        },
        # A bank renews a method that stays the same, and it expires again.
        once=f"payment_method.expiring:{event.subject_id}:{event.expires_on}",
    )


def _limit(event: LimitReached, account: Account) -> Content:
    data = {
        "feature_name": event.feature_name,
        "limit_label": quantity_label(event.limit, locale=account.locale),
    }
    if event.resets_at is not None:
        data["resets_on_label"] = _day(event.resets_at, account)
    whose = event.subscription_id or event.account_id
    return Content(
        MessageType.LIMIT_REACHED,
        data,
        once=f"entitlement.limit_reached:{whose}:{event.feature}:{event.window_start.isoformat()}",
    )


def _refund(event: RefundSucceeded, account: Account) -> Content:
    return Content(
        MessageType.REFUND_SUCCEEDED,
        {
            "invoice_number": event.invoice_number,
            "amount_label": _amount(event.amount_minor, event.currency, account=account),
        },
        ("invoice", event.invoice_id),
    )


def _notice(event: DunningNoticeDue, account: Account) -> Content:
    data = {
        "invoice_number": event.invoice_number,
        "amount_label": _amount(event.due_minor, event.currency, account=account),
    }
    if event.next_attempt_at is not None:
        data["next_attempt_on_label"] = _day(event.next_attempt_at, account)
    return Content(
        # The codes of a policy are the seller's own; what is not known is said in neutral words.
        _NOTICES.get(event.code, MessageType.DUNNING_NOTICE),
        data,
        ("invoice", event.invoice_id),
        once=f"dunning:{event.subject_id}:{event.step}:{event.code}",
    )


def _restriction(event: DunningAccessChanged, _account: Account) -> Content:
    return _about_invoice(_RESTRICTIONS[event.effect], event)


def _exhaustion(event: DunningExhausted, _account: Account) -> Content:
    return _about_invoice(_ENDS[event.action], event)


def _recovery(event: DunningRecovered, _account: Account) -> Content:
    return _about_invoice(MessageType.DUNNING_RECOVERED, event)


def _about_invoice(
    message_type: MessageType, event: DunningAccessChanged | DunningExhausted | DunningRecovered
) -> Content:
    data = {"invoice_number": event.invoice_number}
    return Content(message_type, data, ("invoice", event.invoice_id))


def _start(event: SubscriptionStarted, account: Account) -> Content:
    starts_on = local_date(event.period_start, account.zone)
    return Content(
        MessageType.SUBSCRIPTION_STARTED,
        {
            "plan_name": event.plan_name,
            "effective_on_label": day_label(starts_on, locale=account.locale),
        },
    )


def _trial(event: SubscriptionTrialStarted, account: Account) -> Content:
    starts_on = local_date(event.trial_start, account.zone)
    return Content(
        MessageType.SUBSCRIPTION_STARTED,
        {
            "plan_name": event.plan_name,
            "effective_on_label": day_label(starts_on, locale=account.locale),
            "trial_ends_on_label": _last_day(event.trial_end, account),
        },
    )


def _trial_end(
    event: SubscriptionTrialEnding, account: Account, *, methods: Mapping[UUID, StoredMethod]
) -> Content:
    last_free_day = _last_day(event.trial_end, account)
    data = {"plan_name": event.plan_name, "ends_on_label": last_free_day}
    if event.outcome == Boundary.CONTINUE.value:
        data["charged_on_label"] = _day(event.trial_end, account)
        data |= _payment_to_come(event, account, methods=methods)
    else:
        missing = event.needs_payment_method
        data["needs_method_by_label" if missing else "stops_on_label"] = last_free_day
    return Content(
        MessageType.TRIAL_ENDING,
        data,
        # A trial that is extended has another end.
        once=f"trial.ending:{event.subject_id}:{event.trial_end.isoformat()}",
    )


def _renewal(
    event: SubscriptionRenewalUpcoming, account: Account, *, methods: Mapping[UUID, StoredMethod]
) -> Content:
    return Content(
        MessageType.RENEWAL_UPCOMING,
        {
            "plan_name": event.plan_name,
            "renews_on_label": _day(event.renews_at, account),
            **_payment_to_come(event, account, methods=methods),
        },
        once=f"renewal.upcoming:{event.subject_id}:{event.renews_at.isoformat()}",
    )


def _payment_to_come(
    event: SubscriptionTrialEnding | SubscriptionRenewalUpcoming,
    account: Account,
    *,
    methods: Mapping[UUID, StoredMethod],
) -> dict[str, str]:
    data = {}
    if event.amount_minor is not None:
        data["amount_label"] = _amount(event.amount_minor, event.currency, account=account)
    if account.id in methods:
        data["collection_label"] = methods[account.id].label
    return data


def _end(event: SubscriptionCanceled, account: Account) -> Content:
    return Content(
        MessageType.SUBSCRIPTION_CANCELED,
        {
            "plan_name": event.plan_name,
            "effective_on_label": _last_day(event.ended_at, account),
        },
    )


def _amount(amount_minor: int, currency: str, *, account: Account) -> str:
    return amount_label(Money(amount_minor, currency_of(currency)), locale=account.locale)


def _last_day(end: datetime, account: Account) -> str:
    """What ends at midnight has the day before as its last one."""
    return _day(end - timedelta(microseconds=1), account)


def _day(instant: datetime, account: Account) -> str:
    return day_label(local_date(instant, account.zone), locale=account.locale)


REACTIONS = [
    Reaction("announce_invoices", InvoiceFinalized, announce_invoices),
    Reaction("confirm_payments", PaymentSucceeded, confirm_payments),
    Reaction("welcome_subscribers", SubscriptionStarted, welcome_subscribers),
    Reaction("welcome_triers", SubscriptionTrialStarted, welcome_triers),
    Reaction("remind_of_trials", SubscriptionTrialEnding, remind_of_trials),
    Reaction("remind_of_renewals", SubscriptionRenewalUpcoming, remind_of_renewals),
    Reaction("confirm_cancellations", SubscriptionCanceled, confirm_cancellations),
    Reaction("ask_to_confirm", PaymentActionRequired, ask_to_confirm),
    Reaction("warn_of_expiry", PaymentMethodExpiring, warn_of_expiry),
    Reaction("announce_limits", LimitReached, announce_limits),
    Reaction("announce_refunds", RefundSucceeded, announce_refunds),
    Reaction("send_dunning_notices", DunningNoticeDue, send_dunning_notices),
    Reaction("announce_restrictions", DunningAccessChanged, announce_restrictions),
    Reaction("announce_ends_of_dunning", DunningExhausted, announce_ends_of_dunning),
    Reaction("announce_recoveries", DunningRecovered, announce_recoveries),
    Reaction("mail_confirmation_codes", EmailConfirmationRequested, tell_users),
    Reaction("mail_reset_codes", PasswordResetRequested, tell_users),
    Reaction("tell_former_addresses", EmailChanged, tell_users),
    Reaction("tell_of_repeated_registrations", RegistrationRepeated, tell_users),
]
