"""What if a callback turns out to be about another tenant than the one that keeps it?"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from billwright.features.callbacks.model import CallbackState
from billwright.features.callbacks.operations.apply_callback import apply_callback
from billwright.features.callbacks.operations.settle_callback import end_callback, put_off_callback
from billwright.features.callbacks.operations.store_callback import opened_body, store_callback
from billwright.features.callbacks.operations.tenants_of_event import tenants_of_event
from billwright.features.callbacks.rules.callback_effect import OPEN_STATES
from billwright.features.callbacks.sql.reads import callback_by_id
from billwright.features.callbacks.sql.writes import lock_callback
from billwright.features.payment_providers.port import CallbackInvalid, PaymentProviders
from billwright.kernel.actor import system_actor
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox, SecretUnreadable

_NAME = "hand_over_callback"
_ELSEWHERE = "of_another_tenant"
_AMBIGUOUS = "of_several_tenants"


async def hand_over_callback(
    open_tx: OpenTx,
    callback_id: UUID,
    *,
    database: Database,
    providers: PaymentProviders,
    box: SecretBox,
) -> bool:
    """Give a callback that could not be placed to the tenant that is known to be concerned by now; true
    when nothing is to be applied here, which is also so when it could be about several.
    """
    async with open_tx() as tx:
        callback, keeper = await callback_by_id(tx, callback_id), tx.tenant_id
    provider = providers.get(callback.provider)
    if provider is None or callback.state not in OPEN_STATES:
        return False
    try:
        body = opened_body(callback, tenant_id=keeper, box=box)
        event = provider.read_event(body)
    except (SecretUnreadable, CallbackInvalid):
        return False
    owners = await tenants_of_event(database, event, provider=provider.name, box=box)
    if len(owners) > 1:
        await _settle(open_tx, callback_id, is_handed_over=False)
        return True
    for owner in owners - {keeper}:
        opening = partial(database.tx, owner, actor=system_actor(_NAME), cause=_NAME)
        async with opening() as tx:
            moved_id = await store_callback(tx, event, provider=provider.name, body=body, box=box)
        # It is safe with its owner before it ends here.
        await _settle(open_tx, callback_id, is_handed_over=True)
        if moved_id is not None:
            await apply_callback(opening, moved_id, providers=providers, box=box)
    return bool(owners - {keeper})


async def _settle(open_tx: OpenTx, callback_id: UUID, *, is_handed_over: bool) -> None:
    async with open_tx() as tx:
        callback = await lock_callback(tx, callback_id)
        if callback.state not in OPEN_STATES:
            return
        if is_handed_over:
            await end_callback(tx, callback, state=CallbackState.IGNORED, reason=_ELSEWHERE)
        else:
            await put_off_callback(tx, callback, reason=_AMBIGUOUS)
