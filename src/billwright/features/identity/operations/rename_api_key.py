"""How does a key get another name?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.model import ApiKey
from billwright.features.identity.rules.new_key import check_name
from billwright.features.identity.sql.reads import api_key_by_id
from billwright.features.identity.sql.writes import set_name
from billwright.runtime.db.tx import Tx


async def rename_api_key(tx: Tx, key_id: UUID, *, name: str) -> ApiKey:
    """Give a key another name, whatever its state; the audit log keeps the name that it had then.

    Refuses: `api_key_unknown`, `api_key_name_missing`.
    """
    check_name(name)
    before = await api_key_by_id(tx, key_id)
    await set_name(tx, key_id, name=name)
    tx.audit(
        "api_key.rename",
        subject_type="api_key",
        subject_id=key_id,
        details={"name": name, "former_name": before.name},
    )
    return await api_key_by_id(tx, key_id)
