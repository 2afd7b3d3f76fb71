"""What is in a log line, whoever writes it?"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from billwright.runtime.telemetry.context import bound, request_id
from billwright.runtime.telemetry.logs import configure_logs


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_level_event_and_context():
    stream = io.StringIO()
    configure_logs("json", stream=stream)
    with bound(request_id="r-1", tenant="acme"), bound(job="renew"):
        structlog.get_logger().info("renewed", count=3)
    structlog.get_logger().warning("outside")

    first, second = lines(stream)
    assert str(first.pop("timestamp")).endswith("Z")
    assert first == {
        "level": "info",
        "event": "renewed",
        "request_id": "r-1",
        "tenant": "acme",
        "job": "renew",
        "count": 3,
    }
    assert list(lines(stream)[0])[:3] == ["timestamp", "level", "event"]
    assert (second["level"], "request_id" in second) == ("warning", False)
    assert request_id() is None


def test_bytes_go_to_a_file_as_they_are(tmp_path):
    path = tmp_path / "log"
    with path.open("w") as stream:
        configure_logs("json", stream=stream)
        structlog.get_logger().info("grün")
        logging.getLogger("library").warning("blau")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["grün", "blau"]


def test_libraries_write_the_same_lines():
    stream = io.StringIO()
    configure_logs("json", stream=stream)
    with bound(request_id="r-1"):
        logging.getLogger("uvicorn.error").info("started %s", "postgresql://u:hunter2@h/d")
        logging.getLogger("uvicorn.access").info("GET /")
        logging.getLogger("pgqueuer").debug("too quiet")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old password=hunter2", DeprecationWarning, stacklevel=1)

    written = lines(stream)
    assert [line["logger"] for line in written] == ["uvicorn.error", "py.warnings"]
    assert written[0]["event"] == "started postgresql://u:[redacted]@h/d"
    assert all(line["request_id"] == "r-1" for line in written)
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_written_without_its_secrets(style):
    stream = io.StringIO()
    configure_logs(style, stream=stream)
    try:
        raise ValueError("cannot reach postgresql://u:hunter2@h/d as jane@example.com")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed too")

    text = stream.getvalue()
    assert text.count("Traceback (most recent call last)") == 2
    assert "hunter2" not in text
    assert "jane@" not in text


def test_the_level_holds_for_both():
    stream = io.StringIO()
    configure_logs("json", "warning", stream=stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    assert stream.getvalue() == ""


def test_the_console_is_plain_text_without_a_terminal():
    stream = io.StringIO()
    configure_logs("console", stream=stream)
    structlog.get_logger().info("started", port=8080)

    line = stream.getvalue()
    assert "\x1b" not in line
    assert "[info     ] started" in line
    assert "port=8080" in line
