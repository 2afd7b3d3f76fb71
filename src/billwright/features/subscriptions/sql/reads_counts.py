"""How many subscriptions does each tenant have?"""

from __future__ import annotations

from collections.abc import Mapping

from billwright.runtime.db.database import Database


async def count_active_subscriptions(database: Database, *, tenants: int) -> Mapping[str, int]:
    """Active ones, by the codes of the first so many tenants."""
    rows = await database.unscoped("select * from count_active_subscriptions($1)", tenants)
    return {row["code"]: row["active"] for row in rows}
