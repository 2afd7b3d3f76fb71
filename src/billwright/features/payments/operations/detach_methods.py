"""How do providers forget methods that were removed here?"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from billwright.features.payment_methods.model import Detaching
from billwright.features.payment_methods.operations.detachable_methods import (
    DetachableMethod,
    claim_detachable_methods,
    end_detaching,
)
from billwright.features.payment_providers.port import (
    LIMIT_SECONDS,
    Capability,
    OutcomeUnknown,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.sql.reads import methods_in_use
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

_BATCH_SIZE = 20

_log = structlog.get_logger(__name__)


class _NotDetached(Exception):  # noqa: N818 - it names the answer
    """Why a try has failed; the next one may succeed."""


async def detach_methods(
    open_tx: OpenTx, *, as_of: datetime, providers: PaymentProviders, box: SecretBox
) -> int:
    """Try once, outside any transaction, to detach a batch of removed methods; how many there were.

    One that a payment may still be made with waits until that is over, and one that another account has
    as well is left alone. Asking twice does no harm, so that a call without an answer is made again; what
    has failed for a week is a person's to do.
    """
    async with open_tx() as tx:
        claimed = await claim_detachable_methods(tx, as_of=as_of, limit=_BATCH_SIZE, box=box)
        in_use = await methods_in_use(tx, [one.method.id for one in claimed])
    outcomes = await asyncio.gather(
        *(
            _detach(open_tx, one, providers=providers)
            for one in claimed
            if one.is_shared or one.method.id not in in_use
        ),
        return_exceptions=True,
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            _log.error("method not detached", exc_info=outcome)
    return len(claimed)


async def _detach(
    open_tx: OpenTx, detachable: DetachableMethod, *, providers: PaymentProviders
) -> None:
    method = detachable.method
    try:
        ended = await _asked(detachable, providers=providers)
    except _NotDetached as reason:
        _log.warning(
            "method not detached",
            payment_method_id=str(method.id),
            provider=method.provider,
            reason=str(reason),
        )
        if not detachable.is_last_try:
            return
        async with open_tx() as tx:
            if await end_detaching(tx, method, ended=Detaching.GIVEN_UP):
                await _ask_a_person(tx, detachable, reason=str(reason))
        return
    async with open_tx() as tx:
        await end_detaching(tx, method, ended=ended)


async def _asked(detachable: DetachableMethod, *, providers: PaymentProviders) -> Detaching:
    """Raises `_NotDetached`, with what is known of it."""
    if detachable.is_shared:
        return Detaching.SHARED
    provider = providers.get(detachable.method.provider)
    if provider is None:
        raise _NotDetached("provider_gone")
    if Capability.SETUP not in provider.capabilities:
        return Detaching.NOT_OFFERED
    if detachable.reference is None:
        raise _NotDetached("unreadable")
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await provider.detach(detachable.reference)
    except ProviderUnavailable:
        raise _NotDetached("unavailable") from None
    except (OutcomeUnknown, TimeoutError):
        raise _NotDetached("unknown") from None
    except Exception:  # noqa: BLE001 - whatever broke, it is tried again
        _log.exception("provider failed", provider=provider.name)
        raise _NotDetached("failed") from None
    return Detaching.DETACHED


async def _ask_a_person(tx: Tx, detachable: DetachableMethod, *, reason: str) -> None:
    method = detachable.method
    await open_review_task(
        tx,
        NewReviewTask(
            kind=ReviewKind.METHOD_NOT_DETACHED,
            subject_type="payment_method",
            subject_id=method.id,
            account_id=method.account_id,
            details={"provider": method.provider, "label": method.label, "reason": reason},
            dedup_key=f"method_not_detached:{method.id}:{method.removed_at}",
        ),
    )
