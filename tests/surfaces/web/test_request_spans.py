"""Has every request a span that is named after its route, and has none one that shall have none?"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from billwright.runtime.telemetry.logs import configure_logs
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.tracing import configure_tracing
from billwright.surfaces.web.request_context import RequestContext
from billwright.surfaces.web.request_spans import RequestSpans
from tests.runtime.test_telemetry_tracing import collector, sent_to

TRACE = "0af7651916cd43dd8448eb211c80319c"


async def answer(request: Request) -> Response:
    structlog.get_logger().info("inside")
    if request.path_params.get("number") == "13":
        raise RuntimeError("hunter2")
    return Response("answered")


def client() -> TestClient:
    inner = Starlette(routes=[Route("/items/{number}", answer)])
    root = Starlette(routes=[Mount("/api", inner), Route("/health", answer)])
    application = RequestContext(RequestSpans(root, untraced_paths=("/health",)), metrics=Metrics())
    return TestClient(application, raise_server_exceptions=False)


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
    configure_tracing(None, version="0")
    structlog.reset_defaults()


def test_a_span_is_named_after_the_route_and_the_lines_after_the_span(log):
    with collector() as (endpoint, received), sent_to(endpoint):
        caller = client()
        caller.get(
            "/api/items/3?token=hunter2", headers={"traceparent": f"00-{TRACE}-{'1' * 16}-01"}
        )
        caller.get("/api/items/13")
        caller.get("/nothing")
        caller.get("/health")
    spans = received.spans()
    assert spans.keys() == {"GET /api/items/{number}", "GET unmatched"}
    assert "hunter2" not in str(received.trace_requests)
    inside, request, *_ = (json.loads(line) for line in log.getvalue().splitlines())
    assert inside["trace_id"] == request["trace_id"] == TRACE
    assert inside["span_id"] == request["span_id"]
    failed = next(
        line
        for line in map(json.loads, log.getvalue().splitlines())
        if line["event"] == "request failed"
    )
    assert failed["trace_id"] != TRACE


def test_without_a_collector_requests_are_answered_as_ever(log):
    assert client().get("/api/items/3").text == "answered"
    assert "trace_id" not in log.getvalue()
