"""How is a provider asked for money?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import structlog

from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payment_methods.operations.saved_method import saved_method
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    CollectRequest,
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.model import Attempt, Channel, Payment
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.rules.application import is_wanted
from billwright.features.payments.rules.attempt_rank import NO_LONGER_DUE
from billwright.features.payments.sql.reads import attempt_by_id, payment_by_id, request_of
from billwright.features.payments.sql.writes import submit_attempt
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

COLLECT_ATTEMPT = "collect_attempt"
"""The job that asks the provider, for whoever reserves without waiting for the answer."""

_log = structlog.get_logger(__name__)


def collect_later(tx: Tx, attempt_id: UUID) -> None:
    """Have the worker ask the provider for what was reserved, once that is committed."""
    tx.enqueue(COLLECT_ATTEMPT, {"attempt_id": str(attempt_id)}, dedupe_key=f"collect:{attempt_id}")


async def collect_attempt(
    open_tx: OpenTx, attempt_id: UUID, *, providers: PaymentProviders, box: SecretBox
) -> Payment:
    """Ask the provider, outside any transaction, for what was reserved, and record the answer.

    Of any number of callers one asks; the others get the payment as it stands. What is not wanted any
    more is not asked for. No answer in time is an unknown outcome: the payment stays pending and the
    worker finds out.
    """
    async with open_tx() as tx:
        claimed = await _claim(tx, attempt_id, box=box)
        if isinstance(claimed, Payment):
            return claimed
    attempt, request = claimed
    answer = await _asked(attempt, request, providers=providers)
    async with open_tx() as tx:
        return await record_attempt(tx, attempt_id=attempt.id, answer=answer, box=box)


async def request_to_collect(
    tx: Tx, attempt: Attempt, *, payment: Payment, box: SecretBox
) -> CollectRequest:
    """What the provider is asked for an attempt, the same whenever it is asked."""
    request = await request_of(tx, payment.id, provider_key=attempt.provider_key)
    if payment.saved_method_id is None:
        return request
    saved = await saved_method(tx, payment.saved_method_id, box=box)
    payer = replace(request.payer, reference=saved.payer_reference)
    return replace(request, saved_method=saved, payer=payer)


async def _claim(
    tx: Tx, attempt_id: UUID, *, box: SecretBox
) -> tuple[Attempt, CollectRequest] | Payment:
    """What to ask for; a payment where nobody is to be asked."""
    attempt = await attempt_by_id(tx, attempt_id)
    invoice = await lock_invoice(tx, attempt.invoice_id)
    payment = await payment_by_id(tx, attempt.payment_id)
    if attempt.channel is not Channel.COLLECT or not await submit_attempt(tx, attempt_id):
        return payment
    if not is_wanted(payment, invoice):
        answer = ProviderAnswer(AttemptState.NOT_ATTEMPTED, failure_code=NO_LONGER_DUE)
        return await record_attempt(tx, attempt_id=attempt_id, answer=answer, box=box)
    return attempt, await request_to_collect(tx, attempt, payment=payment, box=box)


async def _asked(
    attempt: Attempt, request: CollectRequest, *, providers: PaymentProviders
) -> ProviderAnswer:
    provider = providers.get(attempt.provider)
    if provider is None:
        return ProviderAnswer(AttemptState.NOT_ATTEMPTED, failure_code="provider_unknown")
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await provider.collect(request)
    except ProviderUnavailable:
        return ProviderAnswer(AttemptState.NOT_ATTEMPTED)
    except (OutcomeUnknown, TimeoutError):
        return ProviderAnswer(AttemptState.UNKNOWN)
    except Exception:  # noqa: BLE001 - whatever broke, it may have broken after money had moved
        _log.exception("provider failed", provider=attempt.provider)
        return ProviderAnswer(AttemptState.UNKNOWN)
