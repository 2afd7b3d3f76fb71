"""How does a payer get to a page on which they pay one invoice?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.errors import invoice_not_payable
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payment_methods.operations.saved_method import payer_reference_of
from billwright.features.payment_providers.errors import provider_silent
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.operations.choose_provider import choose_provider
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    Capability,
    Checkout,
    CheckoutRequest,
    OutcomeUnknown,
    Payer,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payment_providers.rules.redirect_url import require_redirect_url
from billwright.features.payments.errors import payment_in_progress
from billwright.features.payments.model import Attempt, Channel, Origin, Payment, PaymentId
from billwright.features.payments.operations.page_urls import is_open, opened_url
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.operations.withdraw_waiting import withdraw_attempt
from billwright.features.payments.rules.application import is_collectable
from billwright.features.payments.rules.reservation import new_attempt, new_payment
from billwright.features.payments.sql.reads import attempt_by_id, live_attempt_of, payment_by_id
from billwright.features.payments.sql.writes import (
    insert_attempts,
    insert_payments,
    submit_attempt,
)
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

OPEN_FOR = timedelta(hours=23)
"""A page is open for less than a day, which is the longest that providers keep one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """Let a payer pay all that is due on an invoice, and send them to one of two addresses afterwards.

    `saves_method` keeps what they choose for later payments without them. Without a provider it is the
    only one that has pages.
    """

    invoice_id: UUID
    success_url: str
    cancel_url: str
    saves_method: bool
    provider: str | None = None
    expires_in: timedelta = OPEN_FOR


@dataclass(frozen=True, slots=True)
class PayPage:
    """Where to send the payer, until when."""

    url: str
    expires_at: datetime
    payment_id: PaymentId


@dataclass(frozen=True, slots=True)
class _Reserved:
    attempt: Attempt
    request: CheckoutRequest


async def open_page(
    open_tx: OpenTx, command: OpenPage, *, providers: PaymentProviders, box: SecretBox
) -> PayPage:
    """Reserve a payment, open its page and keep the address. An invoice has one page at a time: the
    same one again while it is open and asks for what is due, else the old one is closed first.

    Refuses: `invoice_unknown`, `invoice_not_payable`, `payment_in_progress`, `provider_unknown`,
    `provider_incapable`, `provider_missing`, `provider_not_named`, `redirect_url_invalid`,
    `amount_unsupported`, `checkout_refused`, `provider_silent`.
    """
    require_redirect_url(command.success_url, pointer="/success_url")
    require_redirect_url(command.cancel_url, pointer="/cancel_url")
    provider = choose_provider(providers, named=command.provider, capability=Capability.CHECKOUT)
    found = await _find_or_reserve(open_tx, command, provider=provider.name, box=box)
    if isinstance(found, Attempt):
        if not await withdraw_attempt(open_tx, found, providers=providers, box=box):
            raise payment_in_progress(invoice_id=command.invoice_id)
        found = await _find_or_reserve(open_tx, command, provider=provider.name, box=box)
    if isinstance(found, Attempt):  # somebody was faster
        raise payment_in_progress(invoice_id=command.invoice_id)
    if isinstance(found, PayPage):
        return found
    page = await _opened(open_tx, found, provider=provider, box=box)
    attempt = await _record_page(open_tx, found.attempt, page=page, box=box)
    if attempt.state is not AttemptState.REQUIRES_ACTION:
        # It took so long that it was given up meanwhile, and another payment may have begun.
        await _close(provider, page)
        raise payment_in_progress(invoice_id=command.invoice_id)
    return PayPage(page.url, page.expires_at, attempt.payment_id)


async def _find_or_reserve(
    open_tx: OpenTx, command: OpenPage, *, provider: str, box: SecretBox
) -> PayPage | Attempt | _Reserved:
    """The page that is open already, the attempt that is in the way, or a new one."""
    async with open_tx() as tx:
        invoice = await lock_invoice(tx, command.invoice_id)
        if not is_collectable(invoice):
            raise invoice_not_payable(invoice_id=invoice.id, state=invoice.state.value)
        live = await live_attempt_of(tx, invoice.id)
        if live is None:
            return await _reserve(tx, command, invoice=invoice, provider=provider, box=box)
        payment = await payment_by_id(tx, live.payment_id)
        if not _fits(
            tx, live, payment=payment, command=command, invoice=invoice, provider=provider
        ):
            return live
        url = opened_url(box, live, tenant_id=tx.tenant_id)
        if url is None or live.page_expires_at is None:
            return live
        return PayPage(url, live.page_expires_at, live.payment_id)


def _fits(
    tx: Tx,
    live: Attempt,
    *,
    payment: Payment,
    command: OpenPage,
    invoice: Invoice,
    provider: str,
) -> bool:
    return (
        live.channel is Channel.PAGE
        and is_open(live, tx=tx)
        and live.provider == provider
        and live.saves_method is command.saves_method
        and payment.amount == Money(invoice.due_minor, invoice.currency)
    )


async def _reserve(
    tx: Tx, command: OpenPage, *, invoice: Invoice, provider: str, box: SecretBox
) -> _Reserved:
    account = await account_by_id(tx, invoice.account_id)
    payment = new_payment(
        invoice,
        amount=Money(invoice.due_minor, invoice.currency),
        origin=Origin.PAGE,
        provider=provider,
        now=tx.now,
    )
    expires_at = (tx.machine_now + command.expires_in).replace(microsecond=0)
    attempt = new_attempt(
        payment,
        machine_now=tx.machine_now,
        channel=Channel.PAGE,
        page_expires_at=expires_at,
        saves_method=command.saves_method,
    )
    await insert_payments(tx, [payment])
    await insert_attempts(tx, [attempt])
    await submit_attempt(tx, attempt.id)
    tx.audit(
        "payment.open_page",
        subject_type="payment",
        subject_id=payment.id,
        details={"invoice_id": invoice.id, "provider": provider, "expires_at": expires_at},
    )
    known_as = await payer_reference_of(tx, account.id, provider=provider, box=box)
    return _Reserved(
        attempt,
        CheckoutRequest(
            provider_key=attempt.provider_key,
            amount=payment.amount,
            invoice_number=invoice.number or "",
            payer=Payer(account.id, account.name, account.email, known_as),
            success_url=command.success_url,
            cancel_url=command.cancel_url,
            saves_method=command.saves_method,
            expires_at=expires_at,
            tenant_id=tx.tenant_id,
        ),
    )


async def _opened(
    open_tx: OpenTx, reserved: _Reserved, *, provider: PaymentProvider, box: SecretBox
) -> Checkout:
    """The page. Without an answer there may be one whose address nobody has, so that nobody can pay on
    it: the payment is over, and another page may be asked for at once.
    """
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await provider.open_checkout(reserved.request)
    except Refusal as refusal:
        await _give_up(open_tx, reserved.attempt, failure_code=refusal.code, box=box)
        raise
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        await _give_up(open_tx, reserved.attempt, failure_code="provider_silent", box=box)
        raise provider_silent(provider=provider.name) from None


async def _give_up(open_tx: OpenTx, attempt: Attempt, *, failure_code: str, box: SecretBox) -> None:
    answer = ProviderAnswer(AttemptState.NOT_ATTEMPTED, failure_code=failure_code)
    async with open_tx() as tx:
        await record_attempt(tx, attempt_id=attempt.id, answer=answer, box=box)


async def _record_page(
    open_tx: OpenTx, attempt: Attempt, *, page: Checkout, box: SecretBox
) -> Attempt:
    answer = ProviderAnswer(AttemptState.REQUIRES_ACTION, page.reference, action_url=page.url)
    async with open_tx() as tx:
        await record_attempt(tx, attempt_id=attempt.id, answer=answer, box=box)
        return await attempt_by_id(tx, attempt.id)


async def _close(provider: PaymentProvider, page: Checkout) -> None:
    """Best effort; a payment on it would become credit of the account, and be shown to a person."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await provider.withdraw(page.reference)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        return
