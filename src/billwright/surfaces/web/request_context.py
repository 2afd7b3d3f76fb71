"""What surrounds every request, whichever surface answers it?

An id, one log line, the numbers, and an answer when something fails outside the application's own
handlers. It wraps the whole application, so that nothing is answered without an id.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from operator import itemgetter
from time import perf_counter
from typing import Any

import structlog
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billwright.kernel.ids import new_id_text
from billwright.runtime.telemetry.context import client_address, log_context
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.redaction import redacted_text
from billwright.surfaces.web.hot_routes import HotRoutes
from billwright.surfaces.web.problems import problem_response

_START, _BODY = "http.response.start", "http.response.body"
_ID_HEADERS = (b"x-correlation-id", b"x-request-id")
_LONGEST_ID = 128
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"

# Where a request has the names of its span, for its line.
TRACE_IDS = "billwright.trace_ids"


class RequestContext:
    """The outermost ASGI application. What `hot_routes` answers does not come to the others. An answer
    to a failure has `headers` from here.

    Successful requests to a route template in `quiet_routes` are counted but not logged one by one:
    put the hot routes and the health checks there. Whatever answers 400 or more is always logged.
    Of a path that begins like one of `secret_below`, no more than that is logged.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        hot_routes: HotRoutes | None = None,
        headers: Collection[tuple[bytes, bytes]] = (),
        quiet_routes: Collection[str] = (),
        secret_below: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._hot = hot_routes
        self._headers = tuple(headers)
        self._quiet = frozenset(quiet_routes)
        self._secret_below = tuple(secret_below)

    @cached_property
    def _log(self) -> structlog.typing.FilteringBoundLogger:
        """Bound at the first request, when logging is certainly configured."""
        logger: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind()
        return logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        header = request_id.encode()
        ids = (_ID_HEADERS[0], header), (_ID_HEADERS[1], header)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == _START:
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *ids]
            await send(message)

        # Every request says its own; the server gives each a task, with which it is forgotten.
        client_address.set(client[0] if (client := scope.get("client")) else None)
        token = log_context.set({**log_context.get(), "request_id": request_id})
        started = perf_counter()
        try:
            answer = None if self._hot is None else await self._hot.answer(scope, receive)
            if answer is None:
                await self._app(scope, receive, send_with_id)
            else:
                status = answer.status_code
                headers = [*answer.raw_headers, *ids]
                await send({"type": _START, "status": status, "headers": headers})
                await send({"type": _BODY, "body": answer.body})
        except Exception:  # noqa: BLE001 - the last place where a bug can be answered
            self._log.exception(
                "request failed",
                method=scope["method"],
                path=self._told_path(scope),
                **scope.get(TRACE_IDS, {}),
            )
            if not status:
                answer = problem_response(500, code="internal_error")
                answer.raw_headers.extend(self._headers)
                await answer(scope, receive, send_with_id)
        finally:
            self._finish(scope, status=status, seconds=perf_counter() - started)
            log_context.reset(token)

    def _finish(self, scope: Scope, *, status: int, seconds: float) -> None:
        """`status` is 0 when the client went away before it was answered."""
        method = known_method(scope)
        route = route_template(scope)
        self._metrics.count_request(method=method, route=route, status=status, seconds=seconds)
        if route not in self._quiet or status >= 400:
            self._log.info(
                "request",
                method=method,
                path=self._told_path(scope),
                route=route,
                status=status,
                duration_ms=round(seconds * 1000, 2),
                **scope.get(TRACE_IDS, {}),
            )

    def _told_path(self, scope: Scope) -> str:
        path: str = scope["path"]
        return next((start for start in self._secret_below if path.startswith(start)), path)


def known_method(scope: Scope) -> str:
    """The request's method, one of a closed set."""
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


def route_template(scope: Scope) -> str:
    """The matched route with its parameters' names and the address of the application that it is in:
    a closed set; `unmatched` without a match.
    """
    fastapi_scope: dict[str, Any] = scope.get("fastapi") or {}
    route = fastapi_scope.get("effective_route_context") or scope.get("route")
    path: str | None = getattr(route, "path_format", None)
    if path is None or isinstance(route, Mount):  # a mount without a match inside
        return UNMATCHED
    return f"{scope.get('root_path', '')}{path}"


def _request_id(scope: Scope) -> str:
    """The caller's id, if it is one that may be logged and sent back; otherwise a fresh one."""
    given = [pair for pair in scope["headers"] if pair[0] in _ID_HEADERS]
    for _, value in sorted(given, key=itemgetter(0)) if given else ():
        text: str = value.decode("latin-1").strip()[:_LONGEST_ID]
        if text and text.isascii() and text.isprintable() and redacted_text(text) == text:
            return text
    return new_id_text()
