"""Who is behind this API key?"""

from __future__ import annotations

from billwright.features.identity.errors import credential_invalid
from billwright.features.identity.model import Caller
from billwright.features.identity.rules.key_text import parse_key_text
from billwright.features.identity.sql.reads import api_key_by_digest
from billwright.kernel.actor import Actor, ActorKind, system_actor
from billwright.runtime.db.database import Database


async def authenticate(database: Database, text: str) -> Caller:
    """The caller that a key's text stands for. Refuses: `credential_invalid`, whatever is wrong."""
    key = parse_key_text(text)
    if key is None:
        raise credential_invalid()
    async with database.tx(
        key.tenant_id, actor=system_actor("authentication"), cause="authenticate"
    ) as tx:
        stored = await api_key_by_digest(tx, key.digest)
        now = tx.now
    if stored is None or stored.revoked_at or (stored.expires_at and stored.expires_at <= now):
        raise credential_invalid()
    return Caller(
        key.tenant_id,
        Actor(ActorKind.API_KEY, stored.name, stored.id),
        frozenset(stored.scopes),
    )
