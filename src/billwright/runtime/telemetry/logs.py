"""What does a log line look like, and who may write one?

Everything that logs, this product's code through structlog and libraries through the standard
library, ends in one stream of lines with the time in UTC, the level, the event and the request, job
and tenant that it belongs to. Every line passes the redaction.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, TextIO, TypeAlias
from uuid import UUID

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from billwright.runtime.telemetry.context import log_context
from billwright.runtime.telemetry.redaction import redacted_line

Style = Literal["console", "json"]
Send: TypeAlias = Callable[[Mapping[str, object]], None]
Render: TypeAlias = Callable[[dict[str, object]], str | bytes]

_LIBRARIES_WITH_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "alembic", "pgqueuer")
# A line for every call, with its address; the callers log what the call was for.
_TALKATIVE_LIBRARIES = ("httpx2", "httpcore2")
_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
_format_exception = structlog.processors.format_exc_info
_encoder = msgspec.json.Encoder(enc_hook=repr)
_LEVEL_OF_METHOD = {"warn": "warning", "exception": "error", "fatal": "critical"}


class _Sending:
    send: ClassVar[Send | None] = None


def send_lines_to(send: Send | None) -> None:
    """Give every line to `send` too, as it is written; none ends it."""
    _Sending.send = send


def configure_logs(style: Style, level: str = "info", *, stream: TextIO | None = None) -> None:
    """Set up logging for the whole process; a second call replaces the first.

    Lines go to standard error, so that commands keep standard output for their results. uvicorn is
    started with `log_config=None` and `access_log=False`: the request context writes that line.
    """
    output = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    render = _encoder.encode if style == "json" else _console(output)
    structlog.configure(
        processors=[_Writer(render)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=(
            _bytes_logger_factory(output)
            if style == "json"
            else structlog.WriteLoggerFactory(output)
        ),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(render, output=output, level=number)


def _line(method: str, event: Mapping[str, object]) -> dict[str, object]:
    """Time, level, event and context, in the order in which a line is read; without secrets."""
    line = {
        **_stamp(None, method, {}),
        "level": _LEVEL_OF_METHOD.get(method, method),
        "event": event.get("event", ""),
        **log_context.get(),
        **event,
    }
    if line.get("exc_info"):
        line = dict(_format_exception(None, method, line))
    else:
        line.pop("exc_info", None)
    line = redacted_line(line)
    if _Sending.send is not None:
        _Sending.send(line)
    return line


class _Writer:
    """The one step from what structlog collected to what is written."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> str | bytes:
        return self._render(_line(method, event))


def _console(output: TextIO) -> Render:
    renderer = structlog.dev.ConsoleRenderer(
        colors=output.isatty(),
        pad_event_to=32,
        exception_formatter=structlog.dev.plain_traceback,
        sort_keys=False,
    )
    return lambda line: renderer(
        None,
        "",
        {name: str(value) if isinstance(value, UUID) else value for name, value in line.items()},
    )


def _bytes_logger_factory(output: TextIO) -> Callable[..., WrappedLogger]:
    """Bytes go straight to the file; a stream that is text only gets them decoded."""
    binary = getattr(output, "buffer", None)
    if binary is not None:
        return structlog.BytesLoggerFactory(binary)
    return lambda *_: _DecodingLogger(structlog.WriteLogger(output))


class _DecodingLogger:
    def __init__(self, logger: structlog.WriteLogger) -> None:
        self._logger = logger

    def msg(self, line: bytes) -> None:
        self._logger.msg(line.decode())

    debug = info = warning = error = critical = exception = warn = fatal = log = msg


def _route_standard_library(render: Render, *, output: TextIO, level: int) -> None:
    handler = logging.StreamHandler(output)
    handler.setFormatter(_Lines(render))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in _LIBRARIES_WITH_OWN_HANDLERS:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
    for name in _TALKATIVE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    access = logging.getLogger("uvicorn.access")
    access.handlers = []
    access.propagate = False


class _Lines(logging.Formatter):
    """Standard library records through the same steps; `extra` is left out, it is not ours."""

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "event": record.getMessage(),
            "logger": record.name,
            "exc_info": record.exc_info,
        }
        line = self._render(_line(record.levelname.lower(), event))
        return line.decode() if isinstance(line, bytes) else line
