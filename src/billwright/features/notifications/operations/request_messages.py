"""How is a message to a person asked for?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from billwright.features.notifications.model import NewRequest
from billwright.features.notifications.sql.writes import insert_requests
from billwright.runtime.db.tx import Tx

DELIVER_NOTIFICATIONS = "deliver_notifications"
_KEPT_FOR = timedelta(days=30)


async def request_messages(tx: Tx, requests: Sequence[NewRequest]) -> int:
    """Ask for messages in the caller's commit, many in one statement; how many are new.

    What was asked for before, by its deduplication key, is not asked for again. Delivery begins
    soon after the commit.
    """
    if not requests:
        return 0
    requested = await insert_requests(tx, requests, kept_until=tx.now + _KEPT_FOR)
    if requested:
        # One job a second and tenant gathers what was asked for in that second. A key without the
        # second would be held by a job that runs already and looks for nothing more.
        second = tx.now.replace(microsecond=0).isoformat()
        tx.enqueue(
            DELIVER_NOTIFICATIONS,
            None,
            delay=timedelta(seconds=1),
            dedupe_key=f"{DELIVER_NOTIFICATIONS}:{tx.tenant_id}:{second}",
        )
    return requested
