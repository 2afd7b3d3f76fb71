"""How is a callback made safe before anything is done about it?"""

from __future__ import annotations

from billwright.features.callbacks.model import Callback, CallbackId, CallbackState
from billwright.features.callbacks.sql.writes import insert_callback
from billwright.features.payment_methods.sql.sealed_methods import reference_digests
from billwright.features.payment_providers.model import EventKind
from billwright.features.payment_providers.port import CallbackEvent
from billwright.features.payments.rules.next_check import next_check_at
from billwright.kernel.ids import TenantId, new_id
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def store_callback(
    tx: Tx, event: CallbackEvent, *, provider: str, body: bytes, box: SecretBox
) -> CallbackId | None:
    """Keep an event and the body it was read from, to be applied after the commit; none when the event
    is here already. If nobody comes to apply it, the worker does so within minutes.
    """
    callback_id = CallbackId(new_id())
    is_new = await insert_callback(
        tx,
        Callback(
            id=callback_id,
            provider=provider,
            event_id=event.event_id,
            type=event.type,
            kind=event.kind,
            reference=reference_names(event, provider=provider, box=box)[0],
            provider_key=event.provider_key,
            body_sealed=box.seal(body, context=_context(tx.tenant_id, callback_id)),
            state=CallbackState.RECEIVED,
            attempts=0,
            next_attempt_at=next_check_at(tx.now, now=tx.now),
            last_error=None,
            happened_at=event.created_at,
            received_at=tx.now,
            handled_at=None,
        ),
    )
    return callback_id if is_new else None


def opened_body(callback: Callback, *, tenant_id: TenantId, box: SecretBox) -> bytes:
    """The body of a stored callback, as it was signed."""
    return box.open(callback.body_sealed, context=_context(tenant_id, callback.id))


def reference_names(
    event: CallbackEvent, *, provider: str, box: SecretBox
) -> list[str] | list[None]:
    """How the provider's reference may be written in a row, the present way first: a payment method's
    only as a digest, one for each known key.
    """
    if event.reference is None:
        return [None]
    if event.kind is not EventKind.METHOD or event.provider_key is not None:
        return [event.reference]
    digests = reference_digests(box, provider=provider, reference=event.reference)
    return [digest.hex() for digest in digests]


def _context(tenant_id: TenantId, callback_id: CallbackId) -> str:
    return f"provider_callback.body:{tenant_id}:{callback_id}"
