"""How is a route answered that is asked thousands of times a second?

Before everything else: what surrounds an application costs more than such an answer does. The same
routes stand in their applications as well, which document them and refuse other methods.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from billwright.kernel.refusal import Refusal
from billwright.surfaces.web.openapi import HotRoute
from billwright.surfaces.web.problems import declined, refusal_response


class JsonAnswer(Response):
    """JSON text that was answered, with no more headers than it needs."""

    media_type = "application/json"

    def __init__(self, content: bytes) -> None:
        self.status_code = 200
        self.body = content
        self.background = None
        self.raw_headers = [
            (b"content-length", b"%d" % len(content)),
            (b"content-type", b"application/json"),
        ]


class HotRoutes:
    """ASGI middleware: answers the hot routes of applications by the path that they are mounted at.

    Bodies are limited by whoever calls it.
    """

    def __init__(self, app: ASGIApp, *, mounts: Mapping[str, FastAPI]) -> None:
        self._app = app
        self._routes = [
            (
                re.compile(re.escape(path) + route.path_regex.pattern.removeprefix("^")),
                path,
                route,
                mounted,
            )
            for path, mounted in mounts.items()
            for route in mounted.routes
            if isinstance(route, HotRoute)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for pattern, path, route, mounted in self._routes:
                match = pattern.fullmatch(scope["path"])
                if match and scope["method"] == route.method:
                    scope.update(
                        app=mounted, path_params=match.groupdict(), root_path=path, route=route
                    )
                    request = Request(scope, receive)
                    try:
                        response = await route.answer(request)
                    except Refusal as refusal:
                        response = refusal_response(refusal)
                    except HTTPException as error:
                        response = await declined(request, error)
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)
