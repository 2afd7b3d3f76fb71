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
from starlette.types import Receive, Scope

from billwright.kernel.refusal import Refusal
from billwright.surfaces.web.body_limit import DEFAULT_BODY_BYTES
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
    """The hot routes of applications, by the path that each application is mounted at. They read bodies
    by `whole_body`, which knows how large one may be.
    """

    def __init__(
        self, mounts: Mapping[str, FastAPI], *, largest_body: int = DEFAULT_BODY_BYTES
    ) -> None:
        self._largest_body = largest_body
        self._routes = [
            (
                route.method,
                re.compile(re.escape(path) + route.path_regex.pattern.removeprefix("^")).fullmatch,
                path,
                route,
                mounted,
            )
            for path, mounted in mounts.items()
            for route in mounted.routes
            if isinstance(route, HotRoute)
        ]

    async def answer(self, scope: Scope, receive: Receive) -> Response | None:
        """What a hot route answers to a request; none when the request is for another route."""
        wanted, asked = scope["method"], scope["path"]
        for method, matching, path, route, mounted in self._routes:
            if method == wanted and (match := matching(asked)):
                scope["app"] = mounted
                scope["path_params"] = match.groupdict()
                scope["root_path"] = path
                scope["route"] = route
                scope["largest_body"] = self._largest_body
                request = Request(scope, receive)
                try:
                    return await route.answer(request)
                except Refusal as refusal:
                    return refusal_response(refusal)
                except HTTPException as error:
                    return await declined(request, error)
        return None
