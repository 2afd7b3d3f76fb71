"""Who may read the numbers of a process, and where?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from secrets import compare_digest

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.collector import basic_credentials
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.web.problems import problem_response

METRICS_PATH = "/metrics"
_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")

Refresh = Callable[[], Awaitable[None]]


class MetricsPage:
    """The numbers of one process: at `/metrics` for the holder of METRICS_TOKEN, and at
    OTEL_METRICS_PATH for who knows OTEL_USERNAME and OTEL_PASSWORD, where that is switched on.
    """

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        token = settings.metrics_token
        self._bearer = f"Bearer {token.get_secret_value()}" if token else None
        self._basic = basic_credentials(settings) if settings.otel_enabled else None
        self._basic_path = settings.otel_metrics_path
        self.refresh: Refresh | None = None

    @property
    def paths(self) -> list[str]:
        """Where the numbers are."""
        return [METRICS_PATH] if self._basic is None else [METRICS_PATH, self._basic_path]

    def routes(self) -> list[Route]:
        """What answers there. One path for both is the one with a password."""
        basic = Route(self._basic_path, self._show_by_password)
        return ([] if self._basic is None else [basic]) + [Route(METRICS_PATH, self._show)]

    async def _show(self, request: Request) -> Response:
        """For the holder of the token; without one, for this machine.

        A request that a proxy passed on does not come from this machine, whatever its address says.
        """
        if self._bearer is None:
            return (
                await self._numbers()
                if _is_local(request)
                else problem_response(403, code="forbidden")
            )
        if _are_equal(request.headers.get("authorization", ""), expected=self._bearer):
            return await self._numbers()
        return problem_response(401, code="unauthorized", headers={"WWW-Authenticate": "Bearer"})

    async def _show_by_password(self, request: Request) -> Response:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if self._basic is not None and _are_equal(
            f"{scheme.title()} {rest.strip()}", expected=self._basic
        ):
            return await self._numbers()
        return problem_response(
            401, code="unauthorized", headers={"WWW-Authenticate": 'Basic realm="OpenTelemetry"'}
        )

    async def _numbers(self) -> Response:
        if self.refresh is not None:
            await self.refresh()
        return Response(self._metrics.render(), media_type=self._metrics.content_type)


def _are_equal(given: str, *, expected: str) -> bool:
    return compare_digest(given.encode(), expected.encode())


def _is_local(request: Request) -> bool:
    forwarded = any(name in request.headers for name in _FORWARDING_HEADERS)
    return not forwarded and request.client is not None and request.client.host in _LOOPBACK
