"""How is a provider asked for money?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from billwright.features.payments.model import AttemptState, Payment
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.port import (
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
    Reservation,
)
from billwright.runtime.db.tx import Tx

OpenTx: TypeAlias = Callable[[], AbstractAsyncContextManager[Tx]]

# Well below the minute after which the worker looks for the outcome, so that the two never overlap.
_LIMIT_SECONDS = 30


async def collect_payment(
    open_tx: OpenTx, reservation: Reservation, *, providers: PaymentProviders
) -> Payment:
    """Ask the provider, outside any transaction, for what `start_payment` reserved, and record the
    answer; call it once, when the reservation is committed.

    No answer in time is an unknown outcome: the payment stays pending and the worker finds out.
    """
    provider = providers[reservation.attempt.provider]
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            answer = await provider.collect(reservation.request)
    except ProviderUnavailable:
        answer = ProviderAnswer(AttemptState.NOT_ATTEMPTED)
    except (OutcomeUnknown, TimeoutError):
        answer = ProviderAnswer(AttemptState.UNKNOWN)
    async with open_tx() as tx:
        return await record_attempt(tx, attempt_id=reservation.attempt.id, answer=answer)
