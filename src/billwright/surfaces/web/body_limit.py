"""How large may a request be?

The framework's own limit answers in plain text before the surface can; this one raises where the
body is read, so that the refusal has the surface's form.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULT_BODY_BYTES = 1024 * 1024


class BodyLimit:
    """ASGI middleware: reading a body beyond the limit answers 413, whatever its header announced.

    `largest_by_path` gives exact paths another limit, such as the ingestion of batches.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        largest: int = DEFAULT_BODY_BYTES,
        largest_by_path: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._largest = largest
        self._largest_by_path = dict(largest_by_path or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = self._largest_by_path.get(scope["path"], self._largest)
        announced = _announced_length(scope)
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            if announced > largest:
                raise too_large(largest)
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > largest:
                    raise too_large(largest)
            return message

        await self._app(scope, receive_within_limit, send)


async def body_within(request: Request, *, largest: int) -> bytes:
    """The very bytes of a body, for a route with a limit of its own; a longer one answers 413."""
    if _announced_length(request.scope) > largest:
        raise too_large(largest)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise too_large(largest)
    return bytes(body)


def _announced_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:20]) if value.isdigit() else 0
    return 0


def too_large(largest: int) -> HTTPException:
    """The refusal of a body of more bytes than that."""
    return HTTPException(413, f"The body is larger than {largest} bytes.")
