"""What became of a refund that has no final answer yet?"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.refunds.model import Refund, RefundState
from billwright.features.refunds.operations.execute_refund import answer_of_refund, execute_refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.rules.refund_rank import ENDED, UNANSWERED
from billwright.features.refunds.sql.reads import refunds_by_id
from billwright.features.refunds.sql.writes import claim_due_refunds
from billwright.runtime.db.tx import OpenTx

_BATCH_SIZE = 20

_UNKNOWN = ProviderAnswer(AttemptState.UNKNOWN)

_log = structlog.get_logger(__name__)


async def resolve_open_refunds(
    open_tx: OpenTx, *, as_of: datetime, providers: PaymentProviders
) -> int:
    """Look once for the outcome of a batch of refunds that are due for it; how many there were.

    One that fails is left to its next check and keeps no other waiting.
    """
    async with open_tx() as tx:
        claimed = await refunds_by_id(
            tx, await claim_due_refunds(tx, as_of=as_of, limit=_BATCH_SIZE)
        )
    outcomes = await asyncio.gather(
        *(_resolve(open_tx, one, as_of=as_of, providers=providers) for one in claimed),
        return_exceptions=True,
    )
    for refund, outcome in zip(claimed, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            _log.error(
                "refund not resolved",
                refund_id=str(refund.id),
                provider=refund.provider,
                exc_info=outcome,
            )
    return len(claimed)


async def _resolve(
    open_tx: OpenTx, refund: Refund, *, as_of: datetime, providers: PaymentProviders
) -> None:
    if refund.state is RefundState.CREATED:
        # Whoever reserved it never came to asking: nothing can have been sent.
        await execute_refund(open_tx, refund.id, providers=providers)
        return
    answer = await _answer(open_tx, refund, as_of=as_of, providers=providers)
    async with open_tx() as tx:
        recorded = await record_refund(tx, refund_id=refund.id, answer=answer)
        if recorded.state in ENDED or refund.next_check_at is not None:
            return
        await open_review_task(
            tx,
            NewReviewTask(
                kind=ReviewKind.OUTCOME_UNKNOWN,
                subject_type="refund",
                subject_id=refund.id,
                account_id=refund.account_id,
                details={
                    "provider": refund.provider,
                    "provider_key": refund.provider_key,
                    "amount": str(refund.amount),
                },
                dedup_key=f"outcome_unknown:{refund.id}",
            ),
        )


async def _answer(
    open_tx: OpenTx, refund: Refund, *, as_of: datetime, providers: PaymentProviders
) -> ProviderAnswer:
    """What the provider knows of the key; when it knows nothing, the request is sent again, as long as
    the provider is sure to know the key again.
    """
    try:
        provider = providers[refund.provider]
        async with asyncio.timeout(LIMIT_SECONDS):
            found = await provider.find_refund(refund.provider_key)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        return _UNKNOWN
    except Exception:  # noqa: BLE001 - whatever broke, or a provider that is gone: it is not known
        _log.exception(
            "provider failed", provider=refund.provider, provider_key=refund.provider_key
        )
        return _UNKNOWN
    if found is not None or refund.state not in UNANSWERED:
        return found or _UNKNOWN
    if _may_resend(provider, refund, as_of=as_of):
        return await answer_of_refund(open_tx, refund, providers=providers)
    return ProviderAnswer(AttemptState.NOT_ATTEMPTED)


def _may_resend(provider: PaymentProvider, refund: Refund, *, as_of: datetime) -> bool:
    remembered_for = provider.remembers_keys_for
    return remembered_for is None or as_of - refund.created_at < remembered_for
