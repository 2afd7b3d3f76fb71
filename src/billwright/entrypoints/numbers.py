"""What do operators watch that no process counts by itself? Jobs, invoices and subscriptions."""

from __future__ import annotations

import asyncio
from time import monotonic

import structlog

from billwright.features.invoicing.sql.reads_counts import count_unpaid_invoices
from billwright.features.subscriptions.sql.reads_counts import count_active_subscriptions
from billwright.runtime.db.database import Database
from billwright.runtime.queue.state import jobs_by_state
from billwright.runtime.telemetry.metrics import Metrics

_MOST_TENANTS = 200
_KEPT_SECONDS = 60
# However much there is to count, no more than this share of the time is spent with it.
_LARGEST_SHARE = 0.02
# Less than what a process that ends waits for its database.
_LONGEST_SECONDS = 8
_LONGEST_WAIT_SECONDS = 2

_log = structlog.get_logger(__name__)


class StoredNumbers:
    """Counts in the database when numbers are read, at most once a minute.

    Who reads waits for a moment, and gets the numbers of the last time when it takes longer.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._next_at = float("-inf")
        self._counting: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Count again, if it is time."""
        if self._counting is None and monotonic() >= self._next_at:
            self._counting = asyncio.create_task(self._count())
        if self._counting is not None:
            await asyncio.wait({self._counting}, timeout=_LONGEST_WAIT_SECONDS)

    async def _count(self) -> None:
        started = monotonic()
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._show()
        except Exception as error:  # noqa: BLE001 - the numbers of this process are shown all the same
            _log.warning("stored numbers could not be counted", reason=type(error).__name__)
        finally:
            ended = monotonic()
            self._next_at = ended + max(_KEPT_SECONDS, (ended - started) / _LARGEST_SHARE)
            self._counting = None

    async def _show(self) -> None:
        now = self._database.clock.now()
        self._metrics.show_queue(await jobs_by_state(self._database, at=now))
        invoices = await count_unpaid_invoices(self._database, tenants=_MOST_TENANTS, at=now)
        self._metrics.show_tenants(
            "invoices_open", {code: each.unpaid for code, each in invoices.items()}
        )
        self._metrics.show_tenants(
            "invoices_overdue", {code: each.overdue for code, each in invoices.items()}
        )
        self._metrics.show_tenants(
            "subscriptions_active",
            await count_active_subscriptions(self._database, tenants=_MOST_TENANTS),
        )
