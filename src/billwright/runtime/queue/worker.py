"""Who does the work that was asked for, and what is due?"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog
from pgqueuer import PgQueuer
from pgqueuer.core.executors import (
    DatabaseRetryEntrypointExecutor,
    EntrypointExecutorParameters,
)
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule

from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import APPLICATION_ROLE, Database
from billwright.runtime.queue.connection import queue_queries
from billwright.runtime.queue.outbox import REACT
from billwright.runtime.queue.reacting import react
from billwright.runtime.queue.registry import Job, Registry, Sweep, Work

_log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs, reactions and sweeps until it is told to stop.

    Any number may run beside each other: a job is picked by one of them, a sweep runs in one of them
    at a time. A job that fails is tried again ten times, with growing pauses of at most five minutes,
    and is then kept as failed for a person to look at.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        dsn: str,
        providers: Mapping[type[Any], Any],
    ) -> None:
        self._database = database
        self._registry = registry
        self._dsn = dsn
        self._providers = providers
        self._queue: PgQueuer | None = None

    async def run(self) -> None:
        """Work until `stop`; jobs that are running then are finished first."""
        connection = await asyncpg.connect(
            self._dsn,
            server_settings={
                "role": APPLICATION_ROLE,
                "application_name": "billwright-worker",
                "timezone": "UTC",
            },
        )
        try:
            queries = queue_queries(connection)
            self._queue = queue = PgQueuer(connection=queries.driver, queries=queries)
            self._register(queue)
            await queue.run(
                batch_size=5,
                max_concurrent_tasks=10,
                dequeue_timeout=timedelta(seconds=10),
                heartbeat_timeout=timedelta(seconds=30),
            )
        finally:
            self._queue = None
            await connection.close()

    def stop(self) -> None:
        """Take no more work; `run` returns when what is running has ended."""
        if self._queue is not None:
            self._queue.shutdown.set()

    def _register(self, queue: PgQueuer) -> None:
        self._accept(queue, REACT, run=self._react)
        for job in self._registry.jobs:
            self._accept(queue, job.name, run=self._runner_of(job))
        for sweep in self._registry.sweeps:
            queue.schedule(sweep.name, sweep.cron, accepts_context=False)(
                functools.partial(self._on_schedule, sweep)
            )

    def _accept(
        self, queue: PgQueuer, name: str, *, run: Callable[[TenantId, Any], Awaitable[None]]
    ) -> None:
        async def entry(job: QueuedJob) -> None:
            body = msgspec.json.decode(job.payload or b"null")
            with structlog.contextvars.bound_contextvars(job=name, tenant_id=body["tenant_id"]):
                await run(TenantId(UUID(body["tenant_id"])), body["payload"])

        queue.entrypoint(
            name, accepts_context=False, on_failure="hold", executor_factory=_persistent_executor
        )(entry)

    async def _react(self, tenant_id: TenantId, payload: Any) -> None:
        await react(self._database, self._registry, tenant_id=tenant_id, payload=payload)

    def _runner_of(self, job: Job) -> Callable[[TenantId, Any], Awaitable[None]]:
        async def run(tenant_id: TenantId, payload: Any) -> None:
            await job.run(self._work(job.name, tenant_id), payload)

        return run

    async def _on_schedule(self, sweep: Sweep, _schedule: Schedule) -> None:
        await self.sweep(sweep)

    async def sweep(self, sweep: Sweep) -> int:
        """Run one sweep for every tenant now; a tenant that fails does not keep others waiting."""
        changed = 0
        for tenant_id in await self._database.all_tenants():
            with structlog.contextvars.bound_contextvars(job=sweep.name, tenant_id=str(tenant_id)):
                try:
                    changed += await sweep.run(self._work(sweep.name, tenant_id))
                except Exception:  # noqa: BLE001 - whatever it is, the other tenants come next
                    _log.exception("sweep failed")
        return changed

    def _work(self, name: str, tenant_id: TenantId) -> Work:
        return Work(
            name=name,
            database=self._database,
            tenant_id=tenant_id,
            as_of=self._database.clock.now(),
            providers=self._providers,
            sweeps=self._registry.sweeps,
        )


def _persistent_executor(
    parameters: EntrypointExecutorParameters,
) -> DatabaseRetryEntrypointExecutor:
    return DatabaseRetryEntrypointExecutor(parameters=parameters, max_attempts=10)
