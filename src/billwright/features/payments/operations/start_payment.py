"""How is a payment reserved before its provider is asked?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billwright.features.invoicing.errors import invoice_not_payable, invoice_reference_unknown
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payment_methods.model import MethodStatus, StoredMethod
from billwright.features.payment_methods.sql.reads import default_method_of, method_by_id
from billwright.features.payment_providers.errors import provider_unknown
from billwright.features.payment_providers.model import PaymentMethod
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.errors import (
    payment_in_progress,
    payment_method_elsewhere,
    payment_method_unknown_here,
)
from billwright.features.payments.model import MANUAL, Attempt, Origin
from billwright.features.payments.operations.reserve_collection import store_started
from billwright.features.payments.rules.amount import refuse_unfit_amount
from billwright.features.payments.rules.application import PAYABLE_STATES, may_be_reported
from billwright.features.payments.rules.reservation import new_attempt, new_payment
from billwright.features.payments.sql.reads import live_attempt_of
from billwright.features.payments.sql.writes import insert_attempts, insert_payments
from billwright.kernel.money import Money
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPayment:
    """Pay an invoice, wholly or in part, through a provider.

    `payment_method_id` is a method that the account has left with it; without one its default is used,
    if that is kept by this provider. Without a provider it is that of the method, else `manual`.
    `reference` is what the payer wrote, `received_on` the day on which the money was seen, where a
    person reports it.
    """

    invoice_id: UUID
    amount: Money
    provider: str | None = None
    method: PaymentMethod = PaymentMethod.OTHER
    reference: str = ""
    received_on: date | None = None
    payment_method_id: UUID | None = None


async def start_payment(tx: Tx, command: StartPayment, *, providers: PaymentProviders) -> Attempt:
    """Reserve a payment with its attempt. Once this is committed, `collect_attempt` asks the provider;
    should nobody come to that, the worker does.

    A provider is asked for what is due at most. What a person has seen has come: it may be more, and
    for an invoice that is settled; what finds nothing due becomes credit of the account.

    Refuses: `provider_unknown`, `invoice_unknown_here`, `invoice_not_payable`,
    `payment_in_progress`, `currency_mismatch`, `amount_not_positive`, `amount_above_due`,
    `payment_method_unknown_here`, `payment_method_elsewhere`.
    """
    _require_known(command.provider, providers)
    invoice = await _lock(tx, command.invoice_id)
    saved = await _saved_method(tx, command, invoice=invoice)
    provider = command.provider or (saved.provider if saved else MANUAL)
    _require_known(provider, providers)
    _check(command.amount, invoice, is_reported=provider == MANUAL)
    if await live_attempt_of(tx, invoice.id) is not None:
        raise payment_in_progress(invoice_id=invoice.id)
    payment = new_payment(
        invoice,
        amount=command.amount,
        origin=Origin.REQUESTED,
        provider=provider,
        method=command.method,
        saved=saved,
        reference=command.reference,
        received_on=command.received_on,
        now=tx.now,
    )
    attempt = new_attempt(payment, machine_now=tx.machine_now)
    if provider != MANUAL:
        await store_started(tx, [payment], attempts=[attempt])
        return attempt
    await insert_payments(tx, [payment])
    await insert_attempts(tx, [attempt])
    tx.audit("payment.start", subject_type="payment", subject_id=payment.id, details=command)
    return attempt


def _require_known(provider: str | None, providers: PaymentProviders) -> None:
    if provider is not None and provider not in providers:
        raise provider_unknown(
            pointer="/provider", provider=provider, providers=", ".join(sorted(providers))
        )


async def _lock(tx: Tx, invoice_id: UUID) -> Invoice:
    try:
        return await lock_invoice(tx, invoice_id)
    except Refusal as refusal:
        if refusal.category is not Category.NOT_FOUND:
            raise
        raise invoice_reference_unknown(pointer="/invoice_id", invoice_id=invoice_id) from None


async def _saved_method(tx: Tx, command: StartPayment, *, invoice: Invoice) -> StoredMethod | None:
    if command.payment_method_id is None:
        default = await default_method_of(tx, invoice.account_id)
        if default is None or default.provider != command.provider or not default.is_chargeable:
            return None
        return default
    method = await _named(tx, command.payment_method_id, invoice=invoice)
    if command.provider not in {None, method.provider}:
        raise payment_method_elsewhere(
            pointer="/payment_method_id",
            payment_method_id=method.id,
            provider=method.provider,
        )
    return method


async def _named(tx: Tx, method_id: UUID, *, invoice: Invoice) -> StoredMethod:
    unknown = payment_method_unknown_here(pointer="/payment_method_id", payment_method_id=method_id)
    try:
        method = await method_by_id(tx, method_id)
    except Refusal:
        raise unknown from None
    if method.account_id != invoice.account_id or method.status is not MethodStatus.ACTIVE:
        raise unknown
    return method


def _check(amount: Money, invoice: Invoice, *, is_reported: bool) -> None:
    if not (may_be_reported(invoice) if is_reported else invoice.state in PAYABLE_STATES):
        raise invoice_not_payable(invoice_id=invoice.id, state=invoice.state.value)
    refuse_unfit_amount(amount, invoice, may_exceed=is_reported)
