"""Does every request have an id, a line and a number, and every body a limit?"""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import pytest
import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from billwright.runtime.telemetry.context import client_address, request_id
from billwright.runtime.telemetry.logs import configure_logs
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.web.body_limit import BodyLimit
from billwright.surfaces.web.openapi import HotOperation, HotRoute
from billwright.surfaces.web.problems import install_problem_handlers
from billwright.surfaces.web.request_context import RequestContext

HEADERS = ("x-correlation-id", "x-request-id")


class Answer(msgspec.Struct):
    id: str


async def hot(request: StarletteRequest) -> Response:
    return Response(msgspec.json.encode(Answer(request.path_params["id"])))


def application(metrics: Metrics) -> RequestContext:
    app = FastAPI()
    install_problem_handlers(app)
    router = APIRouter(prefix="/things")

    @router.get("/{number}")
    async def thing(number: int) -> dict[str, str | None]:
        structlog.get_logger().info("inside")
        return {"request_id": request_id()}

    @router.get("/origin/address")
    async def address() -> str | None:
        return client_address.get()

    @router.post("")
    async def size(request: Request) -> int:
        return len(await request.body())

    @router.post("/large")
    async def large(request: Request) -> int:
        return len(await request.body())

    @router.post("/json")
    async def receive(body: dict[str, Any]) -> int:
        return len(body)

    @router.get("/bug/now")
    async def bug() -> None:
        raise RuntimeError("password=hunter2")

    @router.get("/bug/late")
    async def late() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            raise RuntimeError("too late")

        return StreamingResponse(chunks())

    nested = APIRouter(prefix="/nested")
    nested.include_router(router)
    app.include_router(nested)
    app.include_router(router)
    operation = HotOperation(operation_id="hot", summary="Hot", tags=["hot"], response=Answer)
    app.router.routes.insert(0, HotRoute("/hot/{id}", hot, method="GET", operation=operation))
    app.add_middleware(BodyLimit, largest=1000, largest_by_path={"/things/large": 5000})
    return RequestContext(app, metrics=metrics, quiet_routes={"/hot/{id}"})


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs("json", stream=stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def client(log, metrics) -> TestClient:
    return TestClient(application(metrics))


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_the_callers_id_is_used_everywhere(client, log):
    response = client.get("/things/1", headers={"X-Correlation-Id": "  abc ", "X-Request-Id": "x"})

    assert response.json() == {"request_id": "abc"}
    assert [response.headers[name] for name in HEADERS] == ["abc", "abc"]
    assert [line["request_id"] for line in lines(log)] == ["abc", "abc"]
    assert request_id() is None


def test_the_request_id_header_comes_second(client):
    response = client.get("/things/1", headers={"X-Correlation-Id": " ", "X-Request-Id": "x"})
    assert response.headers["x-correlation-id"] == "x"


def test_a_long_id_is_cut(client):
    response = client.get("/things/1", headers={"X-Request-Id": "x" * 200})
    assert response.headers["x-request-id"] == "x" * 128


@pytest.mark.parametrize(
    "given", [b"", b"a\x7fb", b"gr\xfcn", b"jane@example.com", b"bw_live_0123456789"]
)
def test_without_an_id_that_may_be_shown_a_random_one_is_made(client, given):
    headers = [(b"x-correlation-id", given)] if given else []
    first = client.get("/things/1", headers=headers).headers["x-correlation-id"]
    second = client.get("/things/1", headers=headers).headers["x-correlation-id"]

    assert UUID(first) != UUID(second)


@pytest.mark.parametrize("client_pair", [("192.0.2.7", 4711), None])
async def test_every_request_has_the_address_from_which_it_came(metrics, client_pair):
    client_address.set("198.51.100.1")  # of a request before it on the same connection
    transport = httpx2.ASGITransport(application(metrics), client=client_pair)
    async with httpx2.AsyncClient(transport=transport, base_url="http://billing") as client:
        answer = await client.get("/things/origin/address")
    assert answer.json() == (client_pair and client_pair[0])


def test_one_line_per_request_with_the_route_and_without_the_query(client, log):
    client.get("/things/7?token=hunter2")
    client.get("/nested/things/7")
    client.get("/nothing/jane@example.com")
    client.delete("/things/7")

    requests = [line for line in lines(log) if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/things/{number}", 200),
        ("GET", "/nested/things/{number}", 200),
        ("GET", "unmatched", 404),
        ("DELETE", "/things/{number}", 405),
    ]
    assert requests[0]["path"] == "/things/7"
    assert requests[0]["duration_ms"] >= 0
    assert requests[2]["path"] == "/nothing/j***@example.com"
    assert "hunter2" not in log.getvalue()


def test_requests_are_counted_by_route(client, metrics):
    for number in range(3):
        client.get(f"/things/{number}")
    client.request("BREW", "/things/1")

    text = metrics.render().decode()
    labels = '{method="GET",route="/things/{number}",status="200"}'
    counted = f"billwright_http_request_seconds_count{labels}"
    assert f"{counted} 3.0" in text
    assert 'method="OTHER"' in text


def test_a_quiet_route_is_counted_but_logged_only_when_it_fails(client, log, metrics):
    assert client.get("/hot/5").json() == {"id": "5"}
    assert lines(log) == []
    assert 'route="/hot/{id}",status="200"} 1.0' in metrics.render().decode()

    client.post("/hot/5")
    assert [line["status"] for line in lines(log)] == [405]


def test_a_bug_is_logged_once_with_its_traceback_and_answered_bare(client, log):
    response = client.get("/things/bug/now", headers={"X-Request-Id": "r-1"})

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert response.json()["request_id"] == response.headers["x-request-id"] == "r-1"
    failed, request = lines(log)
    assert (failed["level"], failed["event"]) == ("error", "request failed")
    assert "RuntimeError" in failed["exception"]
    assert (request["event"], request["status"]) == ("request", 500)
    assert "hunter2" not in log.getvalue() + response.text


def test_what_fails_around_the_application_is_answered_too(log, metrics):
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    response = TestClient(RequestContext(broken, metrics=metrics)).get("/")

    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-correlation-id"]


@pytest.mark.parametrize("path", ["/things", "/things/json"])
def test_a_body_over_the_limit_is_refused_by_its_announced_length(client, path):
    response = client.post(path, content=b"x" * 1001, headers={"content-type": "application/json"})

    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


def test_a_body_of_the_limit_is_read(client):
    assert client.post("/things", content=b"x" * 1000).json() == 1000


def test_a_path_may_have_its_own_limit(client):
    assert client.post("/things/large", content=b"x" * 5000).json() == 5000
    assert client.post("/things/large", content=b"x" * 5001).status_code == 413


@asynccontextmanager
async def served(app: RequestContext) -> AsyncIterator[str]:
    """The application under the real server, on a free port of this machine alone."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server offers nothing to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


def test_under_the_real_server(log, metrics):
    async def scenario() -> None:
        async with served(application(metrics)) as url, httpx2.AsyncClient(base_url=url) as client:
            ids = [f"r-{number}" for number in range(20)]
            answers = await asyncio.gather(
                *(client.get("/things/1", headers={"X-Request-Id": one}) for one in ids)
            )
            assert [answer.json()["request_id"] for answer in answers] == ids

            async def chunks() -> AsyncIterator[bytes]:
                for _ in range(20):
                    yield b"x" * 100

            streamed = await client.post("/things", content=chunks())
            assert streamed.status_code == 413
            assert streamed.headers["content-type"] == "application/problem+json"
            announced = await client.post("/things", content=b"x" * 100_000)
            assert announced.status_code == 413

            assert (await client.get("/things/bug/now")).status_code == 500
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get("/things/bug/late")
            assert (await client.get("/hot/5")).json() == {"id": "5"}

    asyncio.run(scenario())
    failures = [line for line in lines(log) if line["level"] == "error" and "logger" not in line]
    assert [line["event"] for line in failures] == ["request failed", "request failed"]
