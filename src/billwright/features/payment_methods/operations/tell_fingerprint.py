"""Who is to know that an account has left a method, and which card or bank account it is?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.payment_methods.sql.sealed_methods import fingerprint_digests
from billwright.features.payment_providers.port import SavedMethod
from billwright.features.subscriptions.operations.note_fingerprint import note_fingerprint
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def tell_fingerprint(
    tx: Tx, account_id: UUID, *, provider: str, method: SavedMethod, box: SecretBox
) -> None:
    """Let a locked account's trials know what it pays with, where the provider tells that."""
    if method.fingerprint is None:
        return
    digests = fingerprint_digests(box, provider=provider, fingerprint=method.fingerprint)
    await note_fingerprint(tx, account_id, digests=digests)
