"""How does a key come to be?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from billwright.features.identity.model import FULL_ACCESS
from billwright.features.identity.rules.key_text import key_text
from billwright.features.identity.rules.new_key import check_new_key
from billwright.features.identity.sql.writes import insert_api_key
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def create_api_key(
    tx: Tx,
    *,
    name: str,
    scopes: Sequence[str] = (FULL_ACCESS,),
    expires_at: datetime | None = None,
) -> str:
    """Create a key and return its text, which nothing can show again.

    From `expires_at` on it opens nothing. Refuses: `api_key_name_missing`, `scope_unknown`,
    `api_key_expires_in_past`.
    """
    check_new_key(name=name, scopes=scopes, expires_at=expires_at, now=tx.now)
    key_id, key = new_id(), key_text(tx.tenant_id, secret=secrets.token_urlsafe(32))
    await insert_api_key(
        tx, key_id=key_id, name=name, key=key, scopes=list(scopes), expires_at=expires_at
    )
    tx.audit(
        "api_key.create",
        subject_type="api_key",
        subject_id=key_id,
        details={
            "name": name,
            "hint": key.hint,
            "scopes": list(scopes),
            "expires_at": expires_at,
        },
    )
    return key.text
