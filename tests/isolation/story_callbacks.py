"""What leaves a row in the table of callbacks?"""

from __future__ import annotations

import json

from billwright.features.callbacks.operations.store_callback import store_callback
from billwright.providers.payment.sandbox.events import read_body
from tests.conftest import BOX, Tenant


async def be_told(tenant: Tenant) -> None:
    """A provider tells of something that nobody knows."""
    event = {"id": "event-1", "type": "comet.seen", "created_at": "2026-01-15T12:00:00Z"}
    body = json.dumps(event).encode()
    async with tenant.tx() as tx:
        await store_callback(tx, read_body(body), provider="sandbox", body=body, box=BOX)
