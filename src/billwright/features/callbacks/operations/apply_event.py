"""What does an event of a provider do to our books?"""

from __future__ import annotations

from billwright.features.callbacks.operations.store_callback import reference_names
from billwright.features.callbacks.rules.callback_effect import APPLIED_IF, Effect
from billwright.features.callbacks.sql.reads import is_overtaken
from billwright.features.payment_methods.model import MethodStatus
from billwright.features.payment_methods.operations.record_setup import record_setup
from billwright.features.payment_methods.operations.refresh_method import refresh_method
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.sql.reads import methods_of_reference
from billwright.features.payment_methods.sql.reads_setups import setup_by_key
from billwright.features.payment_providers.model import EventKind
from billwright.features.payment_providers.port import CallbackEvent
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.sql.reads import attempt_of_event
from billwright.features.refunds.operations.record_dispute import record_dispute
from billwright.features.refunds.operations.record_external_refund import record_external_refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.sql.reads import refund_of_key
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def apply_event(tx: Tx, event: CallbackEvent, *, provider: str, box: SecretBox) -> Effect:
    """Do what an event says, where it says more than what is known. What it is about is found by our own
    key, else by the provider's name for it, and only among the tenant's own.
    """
    match event.kind:
        case EventKind.PAYMENT:
            return await _apply_payment(tx, event, provider=provider, box=box)
        case EventKind.REFUND:
            return await _apply_refund(tx, event, provider=provider)
        case EventKind.DISPUTE if event.dispute is not None:
            is_known = await record_dispute(tx, event.dispute, provider=provider)
            return APPLIED_IF[is_known]
        case EventKind.METHOD if event.provider_key is not None:
            return await _apply_setup(tx, event, provider=provider, box=box)
        case EventKind.METHOD:
            return await _apply_method(tx, event, provider=provider, box=box)
    return Effect.USELESS


async def _apply_payment(tx: Tx, event: CallbackEvent, *, provider: str, box: SecretBox) -> Effect:
    answer = event.answer
    if answer is None:
        return Effect.USELESS
    names = [name for name in (event.reference, answer.provider_reference) if name]
    attempt_id = await attempt_of_event(
        tx, provider=provider, provider_key=event.provider_key, references=names
    )
    if attempt_id is None:
        return Effect.NOT_FOUND
    await record_attempt(tx, attempt_id=attempt_id, answer=answer, box=box)
    return Effect.APPLIED


async def _apply_refund(tx: Tx, event: CallbackEvent, *, provider: str) -> Effect:
    """A refund without our key was made at the provider, by a person."""
    if event.answer is None:
        return Effect.USELESS
    if event.provider_key is None:
        if event.reference is None:
            return Effect.NOT_FOUND
        is_known = await record_external_refund(
            tx,
            reference=event.reference,
            payment_reference=event.payment_reference,
            answer=event.answer,
            provider=provider,
        )
        return APPLIED_IF[is_known]
    refund = await refund_of_key(tx, event.provider_key)
    if refund is None or refund.provider != provider:
        return Effect.NOT_FOUND
    await record_refund(tx, refund_id=refund.id, answer=event.answer)
    return Effect.APPLIED


async def _apply_setup(tx: Tx, event: CallbackEvent, *, provider: str, box: SecretBox) -> Effect:
    if event.answer is None or event.provider_key is None:
        return Effect.USELESS
    setup = await setup_by_key(tx, event.provider_key)
    if setup is None or setup.provider != provider:
        return Effect.NOT_FOUND
    await record_setup(tx, setup_id=setup.id, answer=event.answer, box=box)
    return Effect.APPLIED


async def _apply_method(tx: Tx, event: CallbackEvent, *, provider: str, box: SecretBox) -> Effect:
    """Methods have no ranks: of two events the one that happened later counts."""
    said = event.answer.saved_method if event.answer else None
    if event.reference is None or (said is None and not event.method_removed):
        return Effect.USELESS
    names = [name for name in reference_names(event, provider=provider, box=box) if name]
    if await is_overtaken(tx, provider=provider, references=names, happened_at=event.created_at):
        return Effect.APPLIED
    if said is not None and not event.method_removed:
        return APPLIED_IF[await refresh_method(tx, provider=provider, method=said, box=box)]
    left = await methods_of_reference(tx, provider=provider, reference=event.reference, box=box)
    for method in left:
        if method.status is MethodStatus.ACTIVE:
            await remove_method(tx, method.id)
    return APPLIED_IF[bool(left)]
