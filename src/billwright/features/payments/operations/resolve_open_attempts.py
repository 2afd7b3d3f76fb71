"""What became of an attempt that has no final answer yet?"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from billwright.features.payments.events import PaymentReviewRequested
from billwright.features.payments.model import Attempt, AttemptState, PaymentState
from billwright.features.payments.operations.collect_payment import OpenTx
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.port import (
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
    Reservation,
)
from billwright.features.payments.rules.attempt_rank import UNANSWERED
from billwright.features.payments.sql.reads import reservations
from billwright.features.payments.sql.writes import claim_due_attempts

_BATCH_SIZE = 20
_LIMIT_SECONDS = 30

_log = structlog.get_logger(__name__)


async def resolve_open_attempts(
    open_tx: OpenTx, *, as_of: datetime, providers: PaymentProviders
) -> int:
    """Look once for the outcome of a batch of attempts that are due for it; how many there were.

    One that fails is left to its next check and keeps no other waiting.
    """
    async with open_tx() as tx:
        claimed = await reservations(
            tx, await claim_due_attempts(tx, as_of=as_of, limit=_BATCH_SIZE)
        )
    outcomes = await asyncio.gather(
        *(_resolve(open_tx, one, as_of=as_of, providers=providers) for one in claimed),
        return_exceptions=True,
    )
    for reservation, outcome in zip(claimed, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            _log.error(
                "attempt not resolved",
                attempt_id=str(reservation.attempt.id),
                provider=reservation.attempt.provider,
                exc_info=outcome,
            )
    return len(claimed)


async def _resolve(
    open_tx: OpenTx, reservation: Reservation, *, as_of: datetime, providers: PaymentProviders
) -> None:
    attempt = reservation.attempt
    answer = await _answer(reservation, as_of=as_of, providers=providers)
    async with open_tx() as tx:
        payment = await record_attempt(tx, attempt_id=attempt.id, answer=answer)
        if payment.state is PaymentState.PENDING and attempt.next_check_at is None:
            tx.publish(
                PaymentReviewRequested(
                    subject_id=payment.id,
                    account_id=payment.account_id,
                    invoice_id=payment.invoice_id,
                    provider=attempt.provider,
                    provider_key=attempt.provider_key,
                )
            )


async def _answer(
    reservation: Reservation, *, as_of: datetime, providers: PaymentProviders
) -> ProviderAnswer:
    """What the provider knows of the key; when it knows nothing, the request is sent again.

    A provider that cannot be reached says nothing about what it did before: still unknown.
    """
    attempt = reservation.attempt
    try:
        provider = providers[attempt.provider]
        async with asyncio.timeout(_LIMIT_SECONDS):
            found = await provider.find(attempt.provider_key)
            if found is not None or attempt.state not in UNANSWERED:
                return found or ProviderAnswer(attempt.state)
            if _may_resend(provider, attempt, as_of=as_of):
                return await provider.collect(reservation.request)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        return ProviderAnswer(AttemptState.UNKNOWN)
    except Exception:  # noqa: BLE001 - whatever broke, or a provider that is gone: it is not known
        _log.exception(
            "provider failed", provider=attempt.provider, provider_key=attempt.provider_key
        )
        return ProviderAnswer(AttemptState.UNKNOWN)
    return ProviderAnswer(AttemptState.NOT_ATTEMPTED)


def _may_resend(provider: PaymentProvider, attempt: Attempt, *, as_of: datetime) -> bool:
    remembered_for = provider.remembers_keys_for
    return remembered_for is None or as_of - attempt.created_at < remembered_for
