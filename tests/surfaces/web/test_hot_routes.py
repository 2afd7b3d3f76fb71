"""Is a hot route answered early the way its application answers it?"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from billwright.kernel.refusal import Category, RefusalCode
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.web.body_limit import BodyLimit
from billwright.surfaces.web.hot_routes import HotRoutes, JsonAnswer
from billwright.surfaces.web.openapi import HotOperation, HotRoute
from billwright.surfaces.web.problems import install_problem_handlers
from billwright.surfaces.web.request_context import RequestContext
from billwright.surfaces.web.structs import whole_body

unknown_meter = RefusalCode("unknown_meter", Category.NOT_FOUND, "There is no meter {meter}.")


async def read_meter(request: Request) -> Response:
    meter = request.path_params["meter"]
    if meter == "none":
        raise unknown_meter(meter=meter)
    if meter == "broken":
        raise RuntimeError("broken")
    return JSONResponse(
        {"meter": meter, "name": request.app.state.name, "path": request.scope["path"]}
    )


async def write_meter(request: Request) -> Response:
    return JsonAnswer(b'{"length":%d}' % len(await whole_body(request)))


def shop() -> FastAPI:
    app = FastAPI()
    app.state.name = "shop"
    install_problem_handlers(app)
    for method, endpoint in [("GET", read_meter), ("PUT", write_meter)]:
        operation = HotOperation(
            operation_id=endpoint.__name__, summary="A meter", tags=["usage"], response=None
        )
        route = HotRoute("/meters/{meter}/value", endpoint, method=method, operation=operation)
        app.router.routes.insert(0, route)
    return app


class Both:
    """The same application with the early answers and without, and what was counted."""

    def __init__(self) -> None:
        application = shop()
        root = Starlette(routes=[Mount("/api/shop", application)])
        self.metrics = {"early": Metrics(), "late": Metrics()}
        self.reached_root = 0

        async def counted(scope, receive, send):
            self.reached_root += 1
            await root(scope, receive, send)

        self.early = RequestContext(
            BodyLimit(counted, largest=9),
            metrics=self.metrics["early"],
            hot_routes=HotRoutes({"/api/shop": application}, largest_body=9),
        )
        self.late = RequestContext(BodyLimit(root, largest=9), metrics=self.metrics["late"])

    async def ask(self, method: str, path: str) -> tuple[httpx2.Response, httpx2.Response]:
        early, late = [
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app, raise_app_exceptions=False),
                base_url="http://shop",
                headers={"X-Request-Id": "one"},
            )
            for app in (self.early, self.late)
        ]
        async with early, late:
            return await early.request(method, path), await late.request(method, path)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/shop/meters/calls/value", 200),
        ("/api/shop/meters/calls/value?x=%00y", 200),
        ("/api/shop/meters/none/value", 404),
        ("/api/shop/meters/broken/value", 500),
    ],
)
async def test_the_answer_is_the_same_and_nothing_else_is_asked(path: str, status: int):
    both = Both()
    early, late = await both.ask("GET", path)
    assert early.status_code == status
    if "%00" not in path:  # which the application refuses everywhere, and this route does not read
        assert (early.status_code, early.content) == (late.status_code, late.content)
        assert early.headers == late.headers
    assert both.reached_root == 0
    counted = both.metrics["early"].render().decode()
    assert 'route="/api/shop/meters/{meter}/value"' in counted


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/api/shop/meters/calls/value", 405),
        ("GET", "/api/shop/meters/calls", 404),
        ("GET", "/api/shop/meters/calls/value/more", 404),
        ("GET", "/api/shop/meters/calls/value%0A", 404),
        ("GET", "/meters/calls/value", 404),
        ("GET", "/api/other/meters/calls/value", 404),
    ],
)
async def test_everything_else_goes_its_usual_way(method: str, path: str, status: int):
    both = Both()
    early, late = await both.ask(method, path)
    assert early.status_code == late.status_code == status
    assert both.reached_root == 1


@pytest.mark.parametrize(("size", "status"), [(0, 200), (9, 200), (10, 413)])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_is_limited_in_the_same_way(size: int, status: int, announced: bool):
    both = Both()
    for application in (both.early, both.late):
        body = b"x" * size if announced else in_parts(size)
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=application), base_url="http://shop"
        )
        async with client:
            answer = await client.put("/api/shop/meters/calls/value", content=body)
        assert answer.status_code == status
        expected = {"code": "body_too_large"} if status == 413 else {"length": size}
        assert answer.json().items() >= expected.items()
    assert both.reached_root == 0


async def in_parts(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b"x"
