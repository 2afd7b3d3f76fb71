"""What is done about a callback that is safe with us?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import structlog

from billwright.features.callbacks.model import Callback
from billwright.features.callbacks.operations.apply_event import apply_event
from billwright.features.callbacks.operations.settle_callback import end_callback, put_off_callback
from billwright.features.callbacks.operations.store_callback import opened_body
from billwright.features.callbacks.rules.callback_effect import OPEN_STATES, STATE_AFTER, Effect
from billwright.features.callbacks.sql.reads import callback_by_id
from billwright.features.callbacks.sql.writes import lock_callback
from billwright.features.payment_providers.errors import provider_unknown
from billwright.features.payment_providers.model import EventKind
from billwright.features.payment_providers.port import (
    CallbackEvent,
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

# Providers wait ten seconds and more for an answer, and send the callback again after that.
_LIMIT_SECONDS = 8
_NO_ANSWER = "provider_not_answering"

_log = structlog.get_logger(__name__)


async def apply_callback(
    open_tx: OpenTx, callback_id: UUID, *, providers: PaymentProviders, box: SecretBox
) -> Callback:
    """Do what a stored callback says, once, whoever tries at the same time. What fails is undone as a
    whole and left to the next try.

    Refuses: `callback_unknown`.
    """
    async with open_tx() as tx:
        callback, tenant_id = await callback_by_id(tx, callback_id), tx.tenant_id
    if callback.state not in OPEN_STATES:
        return callback
    try:
        provider = _provider(callback.provider, providers)
        event = provider.read_event(opened_body(callback, tenant_id=tenant_id, box=box))
        event, is_complete = await _completed(event, provider=provider)
        async with open_tx() as tx:
            return await _apply(tx, callback_id, event=event, is_complete=is_complete, box=box)
    except Exception as error:  # noqa: BLE001 - it is safe with us, and is tried again
        reason = error.code if isinstance(error, Refusal) else type(error).__name__
        _log.exception("callback not applied", callback_id=str(callback_id), reason=reason)
    async with open_tx() as tx:
        callback = await lock_callback(tx, callback_id)
        if callback.state not in OPEN_STATES:
            return callback
        return await put_off_callback(tx, callback, reason=reason)


def _provider(name: str, providers: PaymentProviders) -> PaymentProvider:
    if name not in providers:
        raise provider_unknown(provider=name, providers=", ".join(sorted(providers)))
    return providers[name]


async def _completed(
    event: CallbackEvent, *, provider: PaymentProvider
) -> tuple[CallbackEvent, bool]:
    """The event with what its provider adds to it when asked; whether nothing is left to be asked."""
    if event.reference is None or not _leaves_question(event):
        return event, True
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            answer = await provider.look_up(event.reference)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        return event, False
    return event if answer is None else replace(event, answer=answer), True


def _leaves_question(event: CallbackEvent) -> bool:
    """The provider says so, or the event tells that something has changed and not what."""
    if event.kind is EventKind.OTHER:
        return False
    says_nothing = event.answer is None and event.dispute is None and not event.method_removed
    return event.leaves_question or says_nothing


async def _apply(
    tx: Tx, callback_id: UUID, *, event: CallbackEvent, is_complete: bool, box: SecretBox
) -> Callback:
    callback = await lock_callback(tx, callback_id)
    if callback.state not in OPEN_STATES:
        return callback
    # Money need not wait for an answer about the method that it came with.
    if not is_complete and event.kind is not EventKind.PAYMENT:
        return await put_off_callback(tx, callback, reason=_NO_ANSWER)
    effect = await apply_event(tx, event, provider=callback.provider, box=box)
    if effect is Effect.NOT_FOUND or not is_complete:
        reason = effect if effect is Effect.NOT_FOUND else _NO_ANSWER
        return await put_off_callback(tx, callback, reason=reason)
    return await end_callback(tx, callback, state=STATE_AFTER[effect])
