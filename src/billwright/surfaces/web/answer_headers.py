"""Which headers does every answer have, whoever gives it?"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STATE, _ADDED = "state", "answer_headers"
# What an answer may load and who may show it: nothing and nobody, unless a page says otherwise.
_SECURITY = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
_ONE_YEAR = b"max-age=31536000"


def security_headers(*, https_only: bool = False) -> tuple[tuple[bytes, bytes], ...]:
    """What browsers are to be strict about. With `https_only`, they are told to come by HTTPS from now
    on.
    """
    hsts = {b"strict-transport-security": _ONE_YEAR} if https_only else {}
    return tuple((_SECURITY | hsts).items())


def add_to_answer(scope: Scope, headers: Mapping[str, str]) -> None:
    """Send `headers` with the answer to this request, also if it is a refusal."""
    scope.setdefault(_STATE, {}).setdefault(_ADDED, {}).update(headers)


class AnswerHeaders:
    """ASGI middleware: adds the `security_headers`, and what was added by `add_to_answer`. A header that
    the answer has already stays as it is.
    """

    def __init__(self, app: ASGIApp, *, https_only: bool = False) -> None:
        self._app = app
        self._headers = security_headers(https_only=https_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added: dict[str, str] = scope.setdefault(_STATE, {}).setdefault(_ADDED, {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name for name, _ in headers}
                headers += [pair for pair in self._headers if pair[0] not in names]
                headers += [(name.lower().encode(), text.encode()) for name, text in added.items()]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_with_headers)
