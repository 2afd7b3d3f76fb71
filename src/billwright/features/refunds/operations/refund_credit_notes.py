"""How does the money go back that credit notes promise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.invoicing.events import CreditNoteIssued
from billwright.features.invoicing.sql.reads_credit import promised_refunds, refunding_notes
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.refunds.model import Refund, RefundOrigin
from billwright.features.refunds.operations.reserve_refunds import reserve_refunds
from billwright.features.refunds.rules.new_refund import new_refund
from billwright.features.refunds.rules.refundable import (
    PaymentMoney,
    shares_of_refund,
    still_to_refund_minor,
)
from billwright.features.refunds.sql.reads import money_of_invoices, refunded_for_notes
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class _Promise:
    """What a credit note says that its invoice's payer gets back."""

    credit_note_id: UUID
    invoice_id: UUID
    account_id: UUID | None
    number: str
    amount: Money


async def refund_credit_notes(tx: Tx, notes: Sequence[CreditNoteIssued]) -> None:
    """Reserve what notes that are issued in this transaction promise, on the payments of their invoices:
    the newest first, and several where one has not enough. Whoever issued them has locked the accounts.

    Money that went back before its note was written is not sent again. What no payment has left, a
    person has to send.
    """
    await _keep(
        tx,
        [
            _Promise(
                note.subject_id,
                note.corrects_invoice_id,
                note.account_id,
                note.number,
                Money(note.to_refund_minor, currency_of(note.currency)),
            )
            for note in notes
            if note.to_refund_minor > 0 and note.corrects_invoice_id is not None
        ],
    )


async def refund_what_is_owed(tx: Tx, invoice_id: UUID) -> None:
    """The same for all notes on an invoice, once money is free that they could not have before. The
    account is locked.
    """
    await _keep(
        tx,
        [
            _Promise(
                note.id,
                invoice_id,
                note.account_id,
                note.number or "",
                Money(note.to_refund_minor, note.currency),
            )
            for note in await refunding_notes(tx, invoice_id)
        ],
    )


async def _keep(tx: Tx, promises: Sequence[_Promise]) -> None:
    if not promises:
        return
    invoice_ids = list({promise.invoice_id for promise in promises})
    money = await money_of_invoices(tx, invoice_ids)
    promised = await promised_refunds(tx, invoice_ids)
    refunded = await refunded_for_notes(tx, [promise.credit_note_id for promise in promises])
    refunds: list[Refund] = []
    for promise in promises:
        payments = money.get(promise.invoice_id, [])
        wanted_minor = still_to_refund_minor(
            promise.amount.amount_minor - refunded.get(promise.credit_note_id, 0),
            promised_minor=promised.get(promise.invoice_id, 0),
            payments=payments,
        )
        shares = dict(shares_of_refund(wanted_minor, payments))
        refunds += _refunds(tx, promise, payments=payments, shares=shares)
        money[promise.invoice_id] = [_after(one, shares.get(one.payment_id, 0)) for one in payments]
        missing_minor = wanted_minor - sum(shares.values())
        if missing_minor:
            await _ask_a_person(tx, promise, missing_minor=missing_minor)
    await reserve_refunds(tx, refunds)


def _refunds(
    tx: Tx, promise: _Promise, *, payments: Sequence[PaymentMoney], shares: dict[UUID, int]
) -> list[Refund]:
    return [
        new_refund(
            one.payment_id,
            account_id=one.account_id,
            provider=one.provider,
            amount=Money(shares[one.payment_id], promise.amount.currency),
            origin=RefundOrigin.CREDIT_NOTE,
            credit_note_id=promise.credit_note_id,
            reason=promise.number,
            machine_now=tx.machine_now,
        )
        for one in payments
        if one.payment_id in shares
    ]


def _after(money: PaymentMoney, share_minor: int) -> PaymentMoney:
    return replace(money, for_notes_minor=money.for_notes_minor + share_minor)


async def _ask_a_person(tx: Tx, promise: _Promise, *, missing_minor: int) -> None:
    await open_review_task(
        tx,
        NewReviewTask(
            kind=ReviewKind.REFUND_FAILED,
            subject_type="invoice",
            subject_id=promise.credit_note_id,
            account_id=promise.account_id,
            details={
                "credit_note": promise.number,
                "missing_minor": missing_minor,
                "currency": promise.amount.currency.code,
            },
            dedup_key=f"refund_failed:{promise.credit_note_id}",
        ),
    )
