"""Where does the time of a request go? A span for each, in the trace of whoever asks."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billwright.runtime.telemetry.tracing import request_span
from billwright.surfaces.web.request_context import TRACE_IDS, known_method, route_template


class RequestSpans:
    """ASGI middleware inside the request context, for a process that makes spans at all.

    The hot routes are answered before it and have none; nor has what is asked at `untraced_paths`.
    """

    def __init__(self, app: ASGIApp, *, untraced_paths: Collection[str] = ()) -> None:
        self._app = app
        self._untraced = frozenset(untraced_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._untraced:
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = known_method(scope)
        with request_span(method, Headers(scope=scope)) as current:
            if current is None:
                await self._app(scope, receive, send)
                return
            scope[TRACE_IDS] = current.ids()
            try:
                await self._app(scope, receive, send_noted)
            finally:
                current.answered(route=route_template(scope), status=status)
