"""How does a key come to be?"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.identity.model import FULL_ACCESS, ApiKeyStatus, CreatedApiKey
from billwright.features.identity.rules.key_text import key_text
from billwright.features.identity.rules.new_key import check_new_key
from billwright.features.identity.rules.scopes import check_given
from billwright.features.identity.sql.reads import find_api_key
from billwright.features.identity.sql.writes import insert_api_key
from billwright.kernel.actor import ActorKind
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def create_api_key(
    tx: Tx,
    *,
    name: str,
    scopes: Sequence[str] = (FULL_ACCESS,),
    expires_at: datetime | None = None,
) -> CreatedApiKey:
    """Create a key with its text, which nothing can show again.

    From `expires_at` on it opens nothing. A key that creates another one gives it at most what it has
    itself. Refuses: `api_key_name_missing`, `scope_unknown`, `api_key_expires_in_past`,
    `scope_not_held`.
    """
    check_new_key(name=name, scopes=scopes, expires_at=expires_at, now=tx.now)
    if tx.actor.kind is ActorKind.API_KEY:
        check_given(scopes, held=await _held_by(tx, tx.actor.id))
    key_id, key = new_id(), key_text(tx.tenant_id, secret=secrets.token_urlsafe(32))
    given = list(dict.fromkeys(scopes))
    await insert_api_key(tx, key_id=key_id, name=name, key=key, scopes=given, expires_at=expires_at)
    tx.audit(
        "api_key.create",
        subject_type="api_key",
        subject_id=key_id,
        details={
            "name": name,
            "hint": key.hint,
            "scopes": given,
            "expires_at": expires_at,
        },
    )
    return CreatedApiKey(key_id, key.text)


async def _held_by(tx: Tx, key_id: UUID | None) -> Collection[str]:
    """What a key may still give: callers are remembered for a moment after their key was revoked."""
    key = None if key_id is None else await find_api_key(tx, key_id)
    return key.scopes if key and key.status_at(tx.now) is ApiKeyStatus.ACTIVE else ()
