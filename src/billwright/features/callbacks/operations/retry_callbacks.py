"""How is a callback applied that could not be applied when it came?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from billwright.features.callbacks.model import Callback, CallbackState
from billwright.features.callbacks.operations.apply_callback import apply_callback
from billwright.features.callbacks.operations.hand_over_callback import hand_over_callback
from billwright.features.callbacks.sql.reads import callback_by_id
from billwright.features.callbacks.sql.writes import (
    claim_due_callbacks,
    lock_callback,
    update_callback,
)
from billwright.features.payment_providers.port import PaymentProviders
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox
from billwright.runtime.together import together

_BATCH_SIZE = 20
_AT_A_TIME = 4


async def retry_callbacks(
    open_tx: OpenTx,
    *,
    as_of: datetime,
    database: Database,
    providers: PaymentProviders,
    box: SecretBox,
) -> int:
    """Try a batch of callbacks that are due for it once more; how many there were.

    One that fails is left to its next try and keeps no other waiting.
    """
    async with open_tx() as tx:
        claimed = await claim_due_callbacks(tx, as_of=as_of, limit=_BATCH_SIZE)
    retry = partial(retry_callback, open_tx, database=database, providers=providers, box=box)
    await together(retry, claimed, at_a_time=_AT_A_TIME)
    return len(claimed)


async def retry_callback(
    open_tx: OpenTx,
    callback_id: UUID,
    *,
    database: Database,
    providers: PaymentProviders,
    box: SecretBox,
) -> Callback:
    """Try one callback once more, for the tenant that it is about by now. Refuses: `callback_unknown`."""
    if await hand_over_callback(
        open_tx, callback_id, database=database, providers=providers, box=box
    ):
        async with open_tx() as tx:
            return await callback_by_id(tx, callback_id)
    return await apply_callback(open_tx, callback_id, providers=providers, box=box)


async def reopen_callback(tx: Tx, callback_id: UUID) -> Callback:
    """Have a callback tried again that was given up, or was of no use to an earlier version; one that has
    been applied stays so. Refuses: `callback_unknown`.
    """
    await callback_by_id(tx, callback_id)
    callback = await lock_callback(tx, callback_id)
    if callback.state is CallbackState.HANDLED:
        return callback
    reopened = replace(
        callback,
        state=CallbackState.WAITING,
        next_attempt_at=tx.machine_now,
        handled_at=None,
    )
    await update_callback(tx, reopened)
    tx.audit(
        "provider_callback.retry",
        subject_type="provider_callback",
        subject_id=callback.id,
        details={"from": callback.state},
    )
    return reopened
