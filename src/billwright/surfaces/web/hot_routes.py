"""How is a route answered that is asked thousands of times a second?

Before everything else: what surrounds an application costs more than such an answer does. The same
routes stand in their applications as well, which document them and refuse other methods.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from billwright.kernel.refusal import Refusal
from billwright.surfaces.web.openapi import HotRoute
from billwright.surfaces.web.problems import refusal_response


class HotRoutes:
    """ASGI middleware: answers the hot reads of applications by the path that they are mounted at.

    Routes that take a body are left to their application, which is where bodies are limited.
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
            if isinstance(route, HotRoute) and route.method == "get"
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for pattern, path, route, mounted in self._routes:
                match = pattern.fullmatch(scope["path"]) if scope["method"] == "GET" else None
                if match:
                    scope.update(
                        app=mounted, path_params=match.groupdict(), root_path=path, route=route
                    )
                    try:
                        response = await route.answer(Request(scope, receive))
                    except Refusal as refusal:
                        response = refusal_response(refusal)
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)
