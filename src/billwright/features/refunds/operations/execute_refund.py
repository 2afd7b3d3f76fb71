"""How is a provider asked to give money back?"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    Capability,
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.refunds.model import Refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.sql.reads import refund_by_id, refund_request
from billwright.features.refunds.sql.writes import claim_refund, leave_to_a_person
from billwright.runtime.db.tx import OpenTx, Tx

EXECUTE_REFUND = "execute_refund"
"""The job that asks the provider, for whoever reserves without waiting for the answer."""

_UNKNOWN = ProviderAnswer(AttemptState.UNKNOWN)

_log = structlog.get_logger(__name__)


def execute_later(tx: Tx, refund_id: UUID) -> None:
    """Have the worker ask the provider for what was reserved, once that is committed."""
    tx.enqueue(EXECUTE_REFUND, {"refund_id": str(refund_id)}, dedupe_key=f"refund:{refund_id}")


async def execute_refund(
    open_tx: OpenTx, refund_id: UUID, *, providers: PaymentProviders
) -> Refund:
    """Ask the provider, outside any transaction, for what was reserved, and record the answer.

    Of any number of callers one asks; the others get the refund as it stands. What no provider can give
    back waits for a person who sends it. No answer in time is an unknown outcome, and the worker finds
    out.

    Refuses: `refund_unknown`.
    """
    async with open_tx() as tx:
        refund = await refund_by_id(tx, refund_id)
        provider = providers.get(refund.provider)
        if provider is not None and Capability.REFUND not in provider.capabilities:
            await leave_to_a_person(tx, refund_id)
            return await refund_by_id(tx, refund_id)
        if not await claim_refund(tx, refund_id):
            return await refund_by_id(tx, refund_id)
    answer = await answer_of_refund(open_tx, refund, providers=providers)
    async with open_tx() as tx:
        return await record_refund(tx, refund_id=refund_id, answer=answer)


async def answer_of_refund(
    open_tx: OpenTx, refund: Refund, *, providers: PaymentProviders
) -> ProviderAnswer:
    """Send a refund under its key, which never moves a second time.

    A request that was certainly not sent is no failure either, since the money was promised: it is sent
    again, as one whose outcome is unknown.
    """
    async with open_tx() as tx:
        request = await refund_request(tx, refund)
    if request is None:
        return ProviderAnswer(
            AttemptState.DECLINED, failure_code="payment_not_found", decline=Decline.HARD
        )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await providers[refund.provider].refund(request)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        return _UNKNOWN
    except Exception:  # noqa: BLE001 - whatever broke, or a provider that is gone: it is not known
        _log.exception(
            "provider failed", provider=refund.provider, provider_key=refund.provider_key
        )
        return _UNKNOWN
