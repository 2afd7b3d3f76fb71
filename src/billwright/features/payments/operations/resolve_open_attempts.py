"""What became of an attempt that has no final answer yet?"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    CollectRequest,
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.model import (
    Attempt,
    Channel,
    NewReviewTask,
    PaymentState,
    ReviewKind,
)
from billwright.features.payments.operations.collect_attempt import (
    collect_attempt,
    request_to_collect,
)
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.rules.application import is_wanted
from billwright.features.payments.rules.attempt_rank import NO_LONGER_DUE, UNANSWERED
from billwright.features.payments.sql.reads import attempts_by_id, payment_by_id
from billwright.features.payments.sql.writes import claim_due_attempts
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox

_BATCH_SIZE = 20

_NOT_SENT = ProviderAnswer(AttemptState.NOT_ATTEMPTED)
_UNKNOWN = ProviderAnswer(AttemptState.UNKNOWN)

_log = structlog.get_logger(__name__)


async def resolve_open_attempts(
    open_tx: OpenTx, *, as_of: datetime, providers: PaymentProviders, box: SecretBox
) -> int:
    """Look once for the outcome of a batch of attempts that are due for it; how many there were.

    One that fails is left to its next check and keeps no other waiting.
    """
    async with open_tx() as tx:
        claimed = await attempts_by_id(
            tx, await claim_due_attempts(tx, as_of=as_of, limit=_BATCH_SIZE)
        )
    search = _Search(open_tx, as_of, providers, box)
    outcomes = await asyncio.gather(*map(search.resolve, claimed), return_exceptions=True)
    for attempt, outcome in zip(claimed, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            _log.error(
                "attempt not resolved",
                attempt_id=str(attempt.id),
                provider=attempt.provider,
                exc_info=outcome,
            )
    return len(claimed)


class _Search:
    """Looks for the outcomes of one batch."""

    def __init__(
        self, open_tx: OpenTx, as_of: datetime, providers: PaymentProviders, box: SecretBox
    ) -> None:
        self._open_tx = open_tx
        self._as_of = as_of
        self._providers = providers
        self._box = box

    async def resolve(self, attempt: Attempt) -> None:
        if attempt.state is AttemptState.CREATED and attempt.channel is Channel.COLLECT:
            # Whoever reserved it never came to asking: nothing can have been sent.
            await collect_attempt(
                self._open_tx, attempt.id, providers=self._providers, box=self._box
            )
            return
        answer = await self._answer(attempt)
        async with self._open_tx() as tx:
            payment = await record_attempt(tx, attempt_id=attempt.id, answer=answer, box=self._box)
            if payment.state is not PaymentState.PENDING or attempt.next_check_at is not None:
                return
            await open_review_task(
                tx,
                NewReviewTask(
                    kind=ReviewKind.OUTCOME_UNKNOWN,
                    subject_type="payment",
                    subject_id=payment.id,
                    account_id=payment.account_id,
                    details={
                        "provider": attempt.provider,
                        "provider_key": attempt.provider_key,
                        "amount": str(payment.amount),
                    },
                    dedup_key=f"outcome_unknown:{attempt.id}",
                ),
            )

    async def _answer(self, attempt: Attempt) -> ProviderAnswer:
        """What the provider knows of the key; when it knows nothing, the request is sent again.

        A provider that cannot be reached says nothing about what it did before: still unknown.
        """
        try:
            provider = self._providers[attempt.provider]
            async with asyncio.timeout(LIMIT_SECONDS):
                found = await provider.find(attempt.provider_key)
            if found is not None or attempt.state not in UNANSWERED:
                return found or ProviderAnswer(attempt.state)
            if attempt.channel is Channel.PAGE:
                return _NOT_SENT  # a payer who is not there needs no page
            return await self._sent_again(provider, attempt)
        except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
            return _UNKNOWN
        except Exception:  # noqa: BLE001 - whatever broke, or a provider that is gone: it is not known
            _log.exception(
                "provider failed", provider=attempt.provider, provider_key=attempt.provider_key
            )
            return _UNKNOWN

    async def _sent_again(self, provider: PaymentProvider, attempt: Attempt) -> ProviderAnswer:
        """Under the same key, and only while the provider is sure to know it again."""
        remembered_for = provider.remembers_keys_for
        if remembered_for is not None and self._as_of - attempt.created_at >= remembered_for:
            return _NOT_SENT
        request = await self._request(attempt)
        if request is None:
            return ProviderAnswer(AttemptState.NOT_ATTEMPTED, failure_code=NO_LONGER_DUE)
        async with asyncio.timeout(LIMIT_SECONDS):
            return await provider.collect(request)

    async def _request(self, attempt: Attempt) -> CollectRequest | None:
        """The same as the first time; none when the money is not wanted any more."""
        async with self._open_tx() as tx:
            payment = await payment_by_id(tx, attempt.payment_id)
            if not is_wanted(payment, await invoice_by_id(tx, attempt.invoice_id)):
                return None
            return await request_to_collect(tx, attempt, payment=payment, box=self._box)
