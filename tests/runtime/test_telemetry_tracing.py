"""Do spans reach a collector, and nothing else with them?"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from billwright.runtime.telemetry.tracing import configure_tracing, span


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """An OTLP/HTTP collector that keeps what it is sent."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def tracing_off_afterwards() -> Iterator[None]:
    yield
    configure_tracing(None, version="0")


def test_without_an_endpoint_a_span_is_nothing():
    assert configure_tracing(None, version="0") is None
    with span("transaction", tenant="acme") as current:
        assert current is None


def test_spans_of_requests_and_of_their_parts_reach_the_collector():
    with collector() as (endpoint, received):
        provider = configure_tracing(endpoint, version="1.2.3")
        assert provider is not None
        app = FastAPI(
            telemetry={
                "tracer_provider": provider,
                "metrics": False,
                "logs": False,
                "operation_spans": False,
            }
        )

        @app.get("/items/{number}")
        async def item(number: int) -> int:
            with span("transaction", tenant="acme"):
                return number

        @app.get("/bug")
        async def bug() -> None:
            with span("transaction"):
                raise RuntimeError("the password is hunter2")

        client = TestClient(app, raise_server_exceptions=False)
        client.get("/items/3", params={"token": "hunter2"})
        client.get("/bug")
        provider.shutdown()

    resources = [resource for request in received for resource in request.resource_spans]
    names = {
        attribute.key: attribute.value.string_value
        for attribute in resources[0].resource.attributes
    }
    spans = [one for r in resources for scope in r.scope_spans for one in scope.spans]
    by_name = {one.name: one for one in spans}
    assert (names["service.name"], names["service.version"]) == ("billwright", "1.2.3")
    assert [one.name for one in spans].count("transaction") == 2
    request = by_name["GET /items/{number}"]
    assert any(one.parent_span_id == request.span_id for one in spans)
    assert "hunter2" not in str(spans)
