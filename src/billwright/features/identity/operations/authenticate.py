"""Who is behind this API key?"""

from __future__ import annotations

from billwright.features.identity.errors import credential_invalid
from billwright.features.identity.model import ApiKeyStatus, Caller
from billwright.features.identity.rules.key_text import parse_key_text
from billwright.features.identity.rules.use import is_worth_noting
from billwright.features.identity.sql.reads import api_key_by_digest
from billwright.features.identity.sql.writes import note_use
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
        if stored is None or stored.status_at(tx.now) is not ApiKeyStatus.ACTIVE:
            raise credential_invalid()
        if is_worth_noting(tx.now, last_used_at=stored.last_used_at):
            await note_use(tx, stored)
    return Caller(
        key.tenant_id,
        Actor(ActorKind.API_KEY, stored.name, stored.id),
        frozenset(stored.scopes),
    )
