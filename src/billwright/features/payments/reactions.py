"""What do payments do about what happens to invoices, and to accounts that are closed?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.accounts.events import AccountReopened
from billwright.features.invoicing.events import (
    CreditNoteIssued,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoiceVoided,
)
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.operations.review_closed_accounts import (
    ask_about_usage,
    ask_anew_after_reopening,
)
from billwright.features.payments.operations.withdraw_waiting import withdraw_later
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.features.subscriptions.events import SubscriptionUsageLeft
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Consequence


async def stop_waiting(
    tx: Tx, events: Sequence[InvoicePaid | InvoiceVoided | InvoiceMarkedUncollectible]
) -> None:
    """Nobody is to pay what is not asked for any more."""
    await _withdraw_pages(tx, [event.subject_id for event in events])


async def stop_waiting_for_too_much(tx: Tx, events: Sequence[CreditNoteIssued]) -> None:
    """Nobody is to pay more than what is due."""
    corrected = [
        event.corrects_invoice_id
        for event in events
        if event.corrects_invoice_id is not None and event.to_invoice_minor
    ]
    await _withdraw_pages(tx, corrected)


async def _withdraw_pages(tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    live = await live_attempts_of(tx, invoice_ids)
    for invoice_id, attempt in live.items():
        if attempt.state is AttemptState.REQUIRES_ACTION:
            withdraw_later(tx, invoice_id)


CONSEQUENCES = [
    Consequence("withdraw_when_paid", InvoicePaid, stop_waiting),
    Consequence("withdraw_when_voided", InvoiceVoided, stop_waiting),
    Consequence("withdraw_when_given_up", InvoiceMarkedUncollectible, stop_waiting),
    Consequence("withdraw_when_credited", CreditNoteIssued, stop_waiting_for_too_much),
    Consequence("ask_about_usage", SubscriptionUsageLeft, ask_about_usage),
    Consequence("ask_anew_after_reopening", AccountReopened, ask_anew_after_reopening),
]
