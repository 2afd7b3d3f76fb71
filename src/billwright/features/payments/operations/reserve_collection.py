"""How is the money of an invoice reserved for collection, with the method that the account has left?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.collect_invoices import reschedule_collection
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payment_methods.model import StoredMethod
from billwright.features.payment_methods.sql.reads import chargeable_defaults, default_method_of
from billwright.features.payments.events import PaymentStarted
from billwright.features.payments.model import Attempt, AttemptId, Origin, Payment
from billwright.features.payments.rules.application import is_collectable
from billwright.features.payments.rules.reservation import new_attempt, new_payment
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.features.payments.sql.writes import insert_attempts, insert_payments
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


async def reserve_collection(
    tx: Tx, invoice_id: UUID, *, origin: Origin, spent_too: bool = False
) -> AttemptId | None:
    """Reserve all that is due on an invoice; none when nothing is, when the account has no default
    method that can be charged (one that was refused for good can be, `spent_too`), or when a payment is
    on its way already.

    Once this is committed, `collect_attempt` asks the provider; should nobody come to that, the worker
    does. Refuses: `invoice_unknown`.
    """
    invoice = await lock_invoice(tx, invoice_id)
    methods = None
    if spent_too:
        default = await default_method_of(tx, invoice.account_id)
        methods = {} if default is None else {invoice.account_id: default}
    reserved = await reserve_collections(tx, [invoice], origin=origin, methods=methods)
    return reserved.get(invoice.id)


async def reserve_collections(
    tx: Tx,
    invoices: Sequence[Invoice],
    *,
    origin: Origin,
    methods: Mapping[UUID, StoredMethod] | None = None,
) -> dict[UUID, AttemptId]:
    """The same for many invoices, which are locked after their accounts: the attempts, by invoice.
    `methods`, by account, are those to collect with, else the defaults that can be charged.
    """
    due = [invoice for invoice in invoices if is_collectable(invoice)]
    live = await live_attempts_of(tx, [invoice.id for invoice in due])
    if methods is None:
        methods = await chargeable_defaults(tx, list({invoice.account_id for invoice in due}))
    payments = [
        new_payment(
            invoice,
            amount=Money(invoice.due_minor, invoice.currency),
            origin=origin,
            provider=methods[invoice.account_id].provider,
            saved=methods[invoice.account_id],
            now=tx.now,
        )
        for invoice in due
        if invoice.account_id in methods and invoice.id not in live
    ]
    attempts = [new_attempt(payment, machine_now=tx.machine_now) for payment in payments]
    await store_started(tx, payments, attempts=attempts)
    # What comes of it, and when it is tried again, is not a matter of the due date any more.
    await reschedule_collection(
        tx,
        {
            invoice.id: None
            for invoice in due
            if invoice.collect_at is not None
            and invoice.id in {payment.invoice_id for payment in payments}
        },
    )
    return {attempt.invoice_id: attempt.id for attempt in attempts}


async def store_started(
    tx: Tx, payments: Sequence[Payment], *, attempts: Sequence[Attempt]
) -> None:
    """Store payments that a provider is about to be asked to collect, and say so."""
    await insert_payments(tx, payments)
    await insert_attempts(tx, attempts)
    for payment in payments:
        tx.publish(
            PaymentStarted(
                subject_id=payment.id,
                account_id=payment.account_id,
                invoice_id=payment.invoice_id,
                origin=payment.origin.value,
                provider=payment.provider,
                currency=payment.amount.currency.code,
                amount_minor=payment.amount.amount_minor,
            )
        )
        tx.audit(
            "payment.start",
            subject_type="payment",
            subject_id=payment.id,
            details={
                "invoice_id": payment.invoice_id,
                "origin": payment.origin,
                "amount_minor": payment.amount.amount_minor,
                "currency": payment.amount.currency.code,
                "payment_method_id": payment.saved_method_id,
            },
        )
