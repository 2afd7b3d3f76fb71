"""How does a payment end that waits for its payer, so that another one may begin?"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.model import Attempt, Channel
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.rules.attempt_rank import LIVE
from billwright.features.payments.sql.reads import attempt_by_id, live_attempt_of
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

WITHDRAW_WAITING = "withdraw_waiting"
"""The job that withdraws, for whoever settles an invoice while its payer is waited for."""

_PAGE_CLOSED = ProviderAnswer(AttemptState.NOT_ATTEMPTED, failure_code="page_closed")
_NOT_CONFIRMED = ProviderAnswer(
    AttemptState.DECLINED, failure_code="authentication_not_completed", decline=Decline.SOFT
)

_log = structlog.get_logger(__name__)


def withdraw_later(tx: Tx, invoice_id: UUID) -> None:
    """Have the worker withdraw what an invoice's payer is waited for, once this is committed."""
    tx.enqueue(
        WITHDRAW_WAITING, {"invoice_id": str(invoice_id)}, dedupe_key=f"withdraw:{invoice_id}"
    )


async def withdraw_waiting(
    open_tx: OpenTx, invoice_id: UUID, *, providers: PaymentProviders, box: SecretBox
) -> bool:
    """End the payment of an invoice that waits for its payer; true when none is live afterwards. One
    whose money has moved, or may have, stays.
    """
    async with open_tx() as tx:
        attempt = await live_attempt_of(tx, invoice_id)
    if attempt is None:
        return True
    return await withdraw_attempt(open_tx, attempt, providers=providers, box=box)


async def withdraw_attempt(
    open_tx: OpenTx, attempt: Attempt, *, providers: PaymentProviders, box: SecretBox
) -> bool:
    """The same for one attempt, whose provider is asked outside any transaction; true when it has
    ended, whichever way.
    """
    if attempt.state is not AttemptState.REQUIRES_ACTION:
        return attempt.state not in LIVE
    answer = await _withdrawn(attempt, providers=providers)
    async with open_tx() as tx:
        if answer is not None:
            await record_attempt(tx, attempt_id=attempt.id, answer=answer, box=box)
        return (await attempt_by_id(tx, attempt.id)).state not in LIVE


async def _withdrawn(attempt: Attempt, *, providers: PaymentProviders) -> ProviderAnswer | None:
    """What became of it; none where nobody can tell now."""
    provider = providers.get(attempt.provider)
    reference = attempt.page_reference or attempt.provider_reference
    if provider is None or reference is None:
        return None
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await _ended(provider, attempt, reference=reference)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        return None
    except Exception:  # noqa: BLE001 - whatever broke: it goes on waiting, and can be asked again
        _log.exception("provider failed", provider=attempt.provider)
        return None


async def _ended(
    provider: PaymentProvider, attempt: Attempt, *, reference: str
) -> ProviderAnswer | None:
    if await provider.withdraw(reference):
        return _PAGE_CLOSED if attempt.channel is Channel.PAGE else _NOT_CONFIRMED
    return await provider.find(attempt.provider_key)
