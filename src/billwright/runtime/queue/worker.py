"""Who does the work that was asked for, and what is due?"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from time import perf_counter
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
from billwright.runtime.telemetry.context import bound
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.tracing import span
from billwright.runtime.together import together

# What one tenant waits for, such as a lock or another system, the next one need not wait for.
_TENANTS_AT_A_TIME = 2

_log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs, reactions and sweeps until it is told to stop.

    Any number may run beside each other: a job is picked by one of them, a sweep runs in one of them
    at a time. A job that fails is tried again ten times, with growing pauses of at most five minutes,
    and is then kept as failed for a person to look at.

    A job whose worker has given no sign of life for `heartbeat` is taken by another one; at least
    every `poll` each looks for such jobs, and for those whose pause is over.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        dsn: str,
        providers: Mapping[type[Any], Any],
        metrics: Metrics | None = None,
        heartbeat: timedelta = timedelta(seconds=30),
        poll: timedelta = timedelta(seconds=10),
    ) -> None:
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._poll = poll
        self._stopped = False
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
            if self._stopped:
                return
            await queue.run(
                batch_size=5,
                max_concurrent_tasks=10,
                dequeue_timeout=self._poll,
                heartbeat_timeout=self._heartbeat,
            )
        finally:
            self._queue = None
            await connection.close()

    def stop(self) -> None:
        """Take no more work; `run` returns when what is running has ended."""
        self._stopped = True
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
            with self._observed(name, tenant_id=body["tenant_id"]):
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

        async def run(tenant_id: TenantId) -> int:
            try:
                with self._observed(sweep.name, tenant_id=str(tenant_id)):
                    return await sweep.run(self._work(sweep.name, tenant_id))
            except Exception:  # noqa: BLE001 - logged already; it is tried again by the next sweep
                return 0

        tenants = await self._database.all_tenants()
        return sum(await together(run, tenants, at_a_time=_TENANTS_AT_A_TIME))

    @contextmanager
    def _observed(self, name: str, *, tenant_id: str) -> Iterator[None]:
        """What happens inside is logged, counted and traced as the work of that name."""
        started, outcome = perf_counter(), "failed"
        with bound(job=name, tenant_id=tenant_id), span("job", job=name):
            try:
                yield
                outcome = "succeeded"
            except Exception:
                _log.exception("job failed")
                raise
            finally:
                if self._metrics is not None:
                    seconds = perf_counter() - started
                    self._metrics.count_job(name, outcome=outcome, seconds=seconds)

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
