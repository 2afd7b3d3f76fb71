"""Do spans and log lines reach a collector, and nothing else with them?"""

from __future__ import annotations

import gzip
import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.collector import Collector, collector_of
from billwright.runtime.telemetry.context import bound
from billwright.runtime.telemetry.logs import configure_logs
from billwright.runtime.telemetry.tracing import (
    configure_tracing,
    outgoing_headers,
    request_span,
    span,
    tracing_is_on,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


class Received:
    """What came to a collector that runs on this machine."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.trace_requests: list[ExportTraceServiceRequest] = []
        self.log_requests: list[ExportLogsServiceRequest] = []

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            self.trace_requests.append(ExportTraceServiceRequest.FromString(body))
        else:
            assert path == "/v1/logs"
            self.log_requests.append(ExportLogsServiceRequest.FromString(body))

    def spans(self) -> dict[str, Any]:
        return {
            one.name: one
            for request in self.trace_requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        }

    def lines(self) -> dict[str, Any]:
        return {
            one.body.string_value: one
            for request in self.log_requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for one in scope.log_records
        }


@contextmanager
def collector() -> Iterator[tuple[str, Received]]:
    """An OTLP/HTTP collector that keeps what it is sent."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.headers.append({name.lower(): text for name, text in self.headers.items()})
            received.take(self.path, body)
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


@contextmanager
def sent_to(endpoint: str, **collector: Any) -> Iterator[None]:
    """Spans and lines go to the collector; at the end what is left is sent."""
    exporting = configure_tracing(Collector(endpoint=endpoint, **collector), version="1.2.3")
    assert exporting is not None
    try:
        yield
    finally:
        exporting.shutdown()
        configure_tracing(None, version="0")


@pytest.fixture(autouse=True)
def telemetry_off_afterwards() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    configure_tracing(None, version="0")
    structlog.reset_defaults()


def attributes(one: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in one.attributes}


def test_without_a_collector_a_span_is_nothing():
    assert configure_tracing(None, version="0") is None
    assert not tracing_is_on()
    with span("transaction", tenant="acme") as current, request_span("GET", {}) as request:
        assert current is None
        assert request is None
        assert outgoing_headers() == {}


def test_a_request_continues_the_trace_of_its_caller_and_its_parts_are_in_it():
    with collector() as (endpoint, received), sent_to(endpoint):
        caller = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        with request_span("GET", caller) as request:
            assert request is not None
            with span("transaction", tenant="acme"):
                sent_on = outgoing_headers()
            request.answered(route="/items/{number}", status=200)
        with pytest.raises(RuntimeError), span("job"):
            raise RuntimeError("the password is hunter2")

    spans = received.spans()
    request, part = spans["GET /items/{number}"], spans["transaction"]
    assert request.trace_id.hex() == part.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == CALLER
    assert part.parent_span_id == request.span_id
    assert sent_on["traceparent"] == f"00-{TRACE}-{part.span_id.hex()}-01"
    assert attributes(request) == {
        "http.request.method": "GET",
        "http.route": "/items/{number}",
        "http.response.status_code": 200,
    }
    assert attributes(spans["job"]) == {"error.type": "RuntimeError"}
    assert "hunter2" not in str(received.trace_requests)


def test_the_collector_is_told_who_speaks(tmp_path: Path):
    with collector() as (endpoint, received):
        settings = load_settings(
            {
                "BILLWRIGHT_HOME": str(tmp_path),
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"{endpoint}/",
                "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b",
                "OTEL_SERVICE_NAME": "billing",
                "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
                "OTEL_USERNAME": "name",
                "OTEL_PASSWORD": "word",
            }
        )
        exporting = configure_tracing(collector_of(settings), version="1.2.3")
        assert exporting is not None
        with span("job"):
            pass
        exporting.shutdown()
    told = attributes(received.trace_requests[0].resource_spans[0].resource)
    assert told["service.name"] == "billing"
    assert told["service.version"] == "1.2.3"
    assert told["deployment.environment.name"] == "test"
    assert received.headers[0]["x-key"] == "a b"
    assert received.headers[0]["authorization"] == "Basic bmFtZTp3b3Jk"


def test_nothing_is_sent_when_that_is_switched_off(tmp_path: Path):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}
    assert collector_of(load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})) is None


@pytest.mark.parametrize(
    ("sampler", "parent", "kept"),
    [
        ("always_off", "01", False),
        ("parentbased_always_off", "01", True),
        ("parentbased_always_on", "00", False),
        ("traceidratio", "01", False),
        ("parentbased_traceidratio", "01", True),
    ],
)
def test_the_sampler_decides_which_traces_are_kept(sampler: str, parent: str, kept: bool):
    caller = {"traceparent": f"00-{TRACE}-{CALLER}-{parent}"}
    with (
        collector() as (endpoint, received),
        sent_to(endpoint, sampler=sampler, share=0.0),
        request_span("GET", caller),
    ):
        pass
    assert bool(received.spans()) == kept


def test_lines_are_sent_with_their_trace_and_without_secrets():
    stream = io.StringIO()
    configure_logs("json", stream=stream)
    with collector() as (endpoint, received), sent_to(endpoint):
        with request_span("GET", {"traceparent": f"00-{TRACE}-{CALLER}-01"}) as request:
            assert request is not None
            with bound(request_id="r-1"):
                structlog.get_logger().warning("inside", count=3, password="hunter2")
            ids = request.ids()
        structlog.get_logger().info("after", **ids)
        structlog.get_logger().info("outside")
    lines = received.lines()
    assert lines["inside"].trace_id.hex() == TRACE
    assert lines["inside"].severity_text == "warning"
    told = attributes(lines["inside"])
    assert (told["request_id"], told["count"]) == ("r-1", 3)
    assert lines["after"].span_id.hex() == ids["span_id"]
    assert not lines["outside"].trace_id
    assert "hunter2" not in str(received.log_requests) + stream.getvalue()
    assert f'"trace_id":"{TRACE}"' in stream.getvalue().splitlines()[0]


def test_what_is_said_about_sending_is_not_sent():
    configure_logs("json", stream=io.StringIO())
    with collector() as (endpoint, received), sent_to(endpoint):
        logging.getLogger("opentelemetry.exporter").error("failed to send")
        logging.getLogger("other").error("failed otherwise")
    assert list(received.lines()) == ["failed otherwise"]


def test_requests_that_are_made_name_the_one_that_is_answered():
    with bound(request_id="r-1"):
        assert outgoing_headers() == {"x-correlation-id": "r-1"}
    assert outgoing_headers() == {}
