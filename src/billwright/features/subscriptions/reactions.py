"""What do subscriptions do when others publish?"""

from __future__ import annotations

from billwright.features.invoicing.events import InvoicePaid
from billwright.features.subscriptions.operations.keep_paid_changes import keep_paid_changes
from billwright.runtime.queue.registry import Consequence

CONSEQUENCES = [Consequence("keep_paid_changes", InvoicePaid, keep_paid_changes)]
