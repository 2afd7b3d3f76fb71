"""What do subscriptions do when others publish?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.accounts.events import AccountReopened
from billwright.features.invoicing.events import InvoicePaid
from billwright.features.subscriptions.operations.keep_paid_changes import keep_paid_changes
from billwright.features.usage.operations.set_late_usage_aside import take_up_late_usage
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Consequence


async def count_what_was_left(tx: Tx, events: Sequence[AccountReopened]) -> None:
    """Let usage be billed that waited because its account was closed."""
    await take_up_late_usage(tx, {event.subject_id for event in events})


CONSEQUENCES = [
    Consequence("keep_paid_changes", InvoicePaid, keep_paid_changes),
    Consequence("count_what_was_left", AccountReopened, count_what_was_left),
]
