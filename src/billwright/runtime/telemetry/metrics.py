"""How much does this process do, and how fast?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OF_TENANTS = {
    "invoices_open": "Invoices on which something is due.",
    "invoices_overdue": "Invoices on which something is due since before today.",
    "subscriptions_active": "Subscriptions that are active.",
}
_JOB_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900)


class Metrics:
    """The numbers of one process, in a registry of its own; made once by the entry point.

    Labels come from closed sets (route templates, job names, event types), never from input.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._request_seconds = Histogram(
            "billwright_http_request_seconds",
            "Time to answer a request; its count says how many were answered, and how.",
            ("method", "route", "status"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._transaction_seconds = Histogram(
            "billwright_transaction_seconds",
            "Time a database transaction was open.",
            ("outcome",),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._job_seconds = Histogram(
            "billwright_job_seconds",
            "Time a job took; its count says how many ran and how they ended.",
            ("job", "outcome"),
            buckets=_JOB_SECONDS,
            registry=registry,
        )
        self._events = Counter(
            "billwright_events_published", "Events committed.", ("type",), registry=registry
        )
        self._pool = Gauge(
            "billwright_database_connections",
            "Connections of this process's pool.",
            ("state",),
            registry=registry,
        )
        self._sign_ins = Counter(
            "auth_requests",
            "Attempts to prove who is calling, by method and outcome.",
            ("method", "outcome"),
            registry=registry,
        )
        self._rate_limited = Counter(
            "rate_limit_rejected", "Requests refused as too many.", registry=registry
        )
        self._origins_refused = Counter(
            "origin_allowlist_rejected",
            "Requests refused because of the web page they come from.",
            registry=registry,
        )
        self._queue = Gauge(
            "billwright_queue_jobs", "Jobs by state.", ("state",), registry=registry
        )
        self._of_tenants = {
            name: Gauge(f"billwright_{name}", meaning, ("tenant_id",), registry=registry)
            for name, meaning in _OF_TENANTS.items()
        }
        # Finding the numbers of a label set costs more than counting: requests keep theirs.
        self._of_request: dict[tuple[str, str, int], Callable[[float], None]] = {}

    def count_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        observe = self._of_request.get((method, route, status))
        if observe is None:
            numbers = self._request_seconds.labels(method, route, str(status))
            observe = self._of_request[method, route, status] = numbers.observe
        observe(seconds)

    def count_transaction(self, *, outcome: str, seconds: float) -> None:
        """`outcome` is `committed` or `rolled_back`."""
        self._transaction_seconds.labels(outcome).observe(seconds)

    def count_job(self, job: str, *, outcome: str, seconds: float) -> None:
        """`outcome` is `succeeded` or `failed`."""
        self._job_seconds.labels(job, outcome).observe(seconds)

    def count_event(self, event_type: str) -> None:
        self._events.labels(event_type).inc()

    def count_sign_in(self, *, method: str, outcome: str) -> None:
        """`auth_requests_total`; `method` is `jwt`, `oidc`, `api_key`, `password` or `token`, `outcome`
        is `accepted` or `refused`.
        """
        self._sign_ins.labels(method, outcome).inc()

    def count_rate_limited(self) -> None:
        """`rate_limit_rejected_total`."""
        self._rate_limited.inc()

    def count_origin_refused(self) -> None:
        """`origin_allowlist_rejected_total`."""
        self._origins_refused.inc()

    def show_queue(self, jobs: Mapping[str, int]) -> None:
        """How many jobs are in each state; a state that is not named has none."""
        self._queue.clear()
        for state, count in jobs.items():
            self._queue.labels(state).set(count)

    def show_tenants(self, name: str, counts: Mapping[str, int]) -> None:
        """How many of `name`, a key of the numbers of tenants, each tenant has, by its code."""
        gauge = self._of_tenants[name]
        gauge.clear()
        for code, count in counts.items():
            gauge.labels(code).set(count)

    def watch_pool(self, pool_use: Callable[[], tuple[int, int]]) -> None:
        """`pool_use` gives the busy and the open connections whenever the numbers are read."""
        self._pool.labels("busy").set_function(lambda: pool_use()[0])
        self._pool.labels("open").set_function(lambda: pool_use()[1])

    def render(self) -> bytes:
        """All numbers in the Prometheus text format, to be sent with `content_type`."""
        return generate_latest(self.registry)
