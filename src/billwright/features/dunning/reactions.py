"""What in other features begins, moves and ends cases of dunning, in the very same commit?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.accounts.events import AccountUpdated
from billwright.features.dunning.operations.tell_cases import (
    ask_again,
    attempt_was_declined,
    attempt_was_not_made,
    attempts_are_under_way,
    methods_have_changed,
    money_has_moved,
    pursue,
    subscriptions_have_begun,
    subscriptions_have_ended,
)
from billwright.features.invoicing.events import (
    CreditNoteIssued,
    InvoiceCreditApplied,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoiceVoided,
)
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_methods.events import PaymentMethodAdded, PaymentMethodChanged
from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payments.events import (
    InvoiceOverdue,
    PaymentActionRequired,
    PaymentCanceled,
    PaymentFailed,
    PaymentProcessing,
    PaymentStarted,
    PaymentSucceeded,
)
from billwright.features.payments.model import Origin
from billwright.features.subscriptions.events import (
    SubscriptionCanceled,
    SubscriptionResumed,
    SubscriptionStarted,
)
from billwright.features.subscriptions.operations.revert_unpaid_change import revert_unpaid_change
from billwright.kernel.calendar import local_date
from billwright.kernel.event import Event
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Consequence

UnderWay = PaymentStarted | PaymentProcessing | PaymentActionRequired
OfInvoice = InvoicePaid | InvoiceVoided | InvoiceMarkedUncollectible
_BAD_HOURS = timedelta(days=1)

OfMethod = PaymentMethodAdded | PaymentMethodChanged | AccountUpdated


async def attempt_under_way(tx: Tx, events: Sequence[UnderWay]) -> None:
    """Nothing is scheduled while the outcome of an attempt is not known."""
    await attempts_are_under_way(tx, [event.invoice_id for event in events])


async def attempt_failed(tx: Tx, events: Sequence[PaymentFailed]) -> None:
    """Move the case of the invoice on or, where there is none, begin to pursue it."""
    for event in events:
        if event.reason == AttemptState.DECLINED:
            await _declined(tx, event, decline=Decline(event.decline or Decline.SOFT))
        elif not await attempt_was_not_made(tx, event.invoice_id):
            await _not_attempted(tx, event)


async def attempt_withdrawn(tx: Tx, events: Sequence[PaymentCanceled]) -> None:
    """A payment that nobody will make any more says nothing about the customer."""
    for event in events:
        await attempt_was_not_made(tx, event.invoice_id)


async def invoice_overdue(tx: Tx, events: Sequence[InvoiceOverdue]) -> None:
    """Pursue what should have been paid by now without being asked for."""
    for event in events:
        if event.account_id is not None:
            await pursue(tx, event.subject_id, account_id=event.account_id)


async def debt_ended(tx: Tx, events: Sequence[OfInvoice]) -> None:
    """End what pursues an invoice on which nothing is to be paid any more."""
    await money_has_moved(tx, [event.subject_id for event in events])


async def debt_reduced(tx: Tx, events: Sequence[PaymentSucceeded]) -> None:
    """A part that was paid may leave too little to be pursued."""
    await money_has_moved(tx, [event.invoice_id for event in events])


async def debt_credited(tx: Tx, events: Sequence[CreditNoteIssued]) -> None:
    """So may a part that was credited."""
    corrected = [event.corrects_invoice_id for event in events if event.to_invoice_minor]
    await money_has_moved(tx, [invoice_id for invoice_id in corrected if invoice_id is not None])


async def debt_paid_by_credit(tx: Tx, events: Sequence[InvoiceCreditApplied]) -> None:
    """So may a part that account credit has paid."""
    await money_has_moved(tx, [event.subject_id for event in events if event.due_minor])


async def method_changed(tx: Tx, events: Sequence[OfMethod]) -> None:
    """Try what is unpaid with another method, once for all that a commit tells of it; or know that
    there is none any more.
    """
    first: dict[object, Event] = {}
    for _, _, event in tx.events:
        if _is_about_what_is_charged(event):
            first.setdefault(event.account_id, event)
    changed = [
        event.account_id
        for event in events
        if event.account_id is not None and first.get(event.account_id) is event
    ]
    if changed:
        await methods_have_changed(tx, changed)


async def subscription_ended(tx: Tx, events: Sequence[SubscriptionCanceled]) -> None:
    """Nothing is pursued for a subscription that was canceled."""
    await subscriptions_have_ended(tx, list({one.account_id for one in events if one.account_id}))


async def subscription_began(
    tx: Tx, events: Sequence[SubscriptionStarted | SubscriptionResumed]
) -> None:
    """One that owes since its trial or its pause is past due from its beginning."""
    await subscriptions_have_begun(
        tx, {event.subject_id: event.account_id for event in events if event.account_id}
    )


async def _declined(tx: Tx, event: PaymentFailed, *, decline: Decline) -> None:
    if await attempt_was_declined(tx, event.invoice_id, decline=decline):
        return
    if event.account_id is None:
        return
    is_automatic = event.origin == Origin.AUTOMATIC
    if is_automatic and await revert_unpaid_change(tx, event.invoice_id):
        return
    if is_automatic or await _is_overdue(tx, event.invoice_id, at=tx.now):
        await pursue(tx, event.invoice_id, account_id=event.account_id, decline=decline)


async def _not_attempted(tx: Tx, event: PaymentFailed) -> None:
    """What nobody has heard of is asked for again, as long as that can still be somebody's bad hour."""
    if event.origin != Origin.AUTOMATIC or event.account_id is None:
        return
    if await _is_overdue(tx, event.invoice_id, at=tx.now - _BAD_HOURS):
        await pursue(tx, event.invoice_id, account_id=event.account_id)
    else:
        await ask_again(tx, event.invoice_id)


async def _is_overdue(tx: Tx, invoice_id: UUID, *, at: datetime) -> bool:
    invoice = await invoice_by_id(tx, invoice_id)
    return invoice.due_on is not None and local_date(at, invoice.zone) > invoice.due_on


def _is_about_what_is_charged(event: Event) -> bool:
    match event:
        case PaymentMethodAdded():
            return event.is_default
        case PaymentMethodChanged():
            return not {"is_default", "is_chargeable"}.isdisjoint(event.changed)
        case AccountUpdated():
            return "has_payment_method" in event.changed
        case _:
            return False


CONSEQUENCES = [
    Consequence("dunning_attempt_started", PaymentStarted, attempt_under_way),
    Consequence("dunning_attempt_processing", PaymentProcessing, attempt_under_way),
    Consequence("dunning_attempt_to_confirm", PaymentActionRequired, attempt_under_way),
    Consequence("dunning_attempt_failed", PaymentFailed, attempt_failed),
    Consequence("dunning_attempt_withdrawn", PaymentCanceled, attempt_withdrawn),
    Consequence("dunning_invoice_overdue", InvoiceOverdue, invoice_overdue),
    Consequence("dunning_invoice_paid", InvoicePaid, debt_ended),
    Consequence("dunning_invoice_voided", InvoiceVoided, debt_ended),
    Consequence("dunning_invoice_given_up", InvoiceMarkedUncollectible, debt_ended),
    Consequence("dunning_invoice_credited", CreditNoteIssued, debt_credited),
    Consequence("dunning_credit_applied", InvoiceCreditApplied, debt_paid_by_credit),
    Consequence("dunning_payment_succeeded", PaymentSucceeded, debt_reduced),
    Consequence("dunning_method_added", PaymentMethodAdded, method_changed),
    Consequence("dunning_method_changed", PaymentMethodChanged, method_changed),
    Consequence("dunning_account_updated", AccountUpdated, method_changed),
    Consequence("dunning_subscription_canceled", SubscriptionCanceled, subscription_ended),
    Consequence("dunning_subscription_started", SubscriptionStarted, subscription_began),
    Consequence("dunning_subscription_resumed", SubscriptionResumed, subscription_began),
]
