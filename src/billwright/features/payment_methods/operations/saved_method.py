"""What is a provider told when it is to use a method that it keeps?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.payment_methods.sql.reads import method_by_id, newest_with_payer
from billwright.features.payment_methods.sql.sealed_methods import opened_method, sealed_words
from billwright.features.payment_methods.sql.writes import reseal_method
from billwright.features.payment_providers.port import SavedMethod
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def saved_method(tx: Tx, method_id: UUID, *, box: SecretBox) -> SavedMethod:
    """A method in its provider's own words; what a retired key has sealed is sealed anew.

    Refuses: `payment_method_unknown`.
    """
    stored = await method_by_id(tx, method_id)
    opened = opened_method(box, stored, tenant_id=tx.tenant_id)
    if box.needs_resealing(stored.reference_sealed):
        words = sealed_words(
            box, opened, provider=stored.provider, tenant_id=tx.tenant_id, method_id=stored.id
        )
        await reseal_method(tx, stored, words=words)
    return opened


async def payer_reference_of(
    tx: Tx, account_id: UUID, *, provider: str, box: SecretBox
) -> str | None:
    """What a provider calls an account, once it has told."""
    stored = await newest_with_payer(tx, account_id, provider=provider)
    if stored is None:
        return None
    return opened_method(box, stored, tenant_id=tx.tenant_id).payer_reference
