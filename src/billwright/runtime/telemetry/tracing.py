"""Where does the time of a request or a job go?

Spans are made only when there is a collector; otherwise `span` costs one comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from billwright.runtime.telemetry import logs
from billwright.runtime.telemetry.collector import Collector
from billwright.runtime.telemetry.context import bound, request_id

if TYPE_CHECKING:
    from billwright.runtime.telemetry.export import Exporting

_NO_SPAN: AbstractContextManager[Span | None] = nullcontext()
_PROPAGATION = TraceContextTextMapPropagator()


class _Tracing:
    tracer: Tracer | None = None


def configure_tracing(collector: Collector | None, *, version: str) -> Exporting | None:
    """Send spans and log lines to the collector; none turns both off.

    What comes back is shut down with the process, which sends what is left.
    """
    if collector is None:
        _Tracing.tracer = None
        logs.send_lines_to(None)
        return None
    # The SDK and its exporters take longer to import than the rest of a short command.
    from billwright.runtime.telemetry.export import LineExport, exporting_to  # noqa: PLC0415

    exporting = exporting_to(collector, version=version)
    _Tracing.tracer = exporting.spans.get_tracer("billwright", version)
    logs.send_lines_to(LineExport(exporting.lines.get_logger("billwright", version)))
    return exporting


def tracing_is_on() -> bool:
    """Whether spans are made."""
    return _Tracing.tracer is not None


def span(name: str, **attributes: AttributeValue) -> AbstractContextManager[Span | None]:
    """A part of the current trace, for example `with span("transaction", tenant=code):`.

    An exception marks it as failed with its type alone; the text may hold what must not leave.
    """
    if _Tracing.tracer is None:
        return _NO_SPAN
    return _recorded(_Tracing.tracer, name, attributes)


class AnsweringSpan:
    """The answering of one request."""

    def __init__(self, current: Span, *, method: str) -> None:
        self._span = current
        self._method = method

    def ids(self) -> dict[str, str]:
        """By what a log line names it."""
        return _ids_of(self._span)

    def answered(self, *, route: str, status: int) -> None:
        """Name it after the route; `status` is 0 when the client went away before."""
        self._span.update_name(f"{self._method} {route}")
        self._span.set_attribute("http.route", route)
        if status:
            self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[AnsweringSpan | None]:
    """The answering of a request, as part of the trace that its `traceparent` names."""
    if _Tracing.tracer is None:
        yield None
        return
    with _recorded(
        _Tracing.tracer,
        method,
        {"http.request.method": method},
        kind=SpanKind.SERVER,
        context=_PROPAGATION.extract(headers, Context()),
    ) as current:
        yield AnsweringSpan(current, method=method)


def outgoing_headers() -> dict[str, str]:
    """What every request that this process makes tells of the one that it answers, and of its trace."""
    headers = {}
    if (answering := request_id()) is not None:
        headers["x-correlation-id"] = answering
    if _Tracing.tracer is not None:
        _PROPAGATION.inject(headers)
    return headers


def _ids_of(current: Span) -> dict[str, str]:
    ids = current.get_span_context()
    return {"trace_id": f"{ids.trace_id:032x}", "span_id": f"{ids.span_id:016x}"}


@contextmanager
def _recorded(
    tracer: Tracer,
    name: str,
    attributes: dict[str, AttributeValue],
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    context: Context | None = None,
) -> Iterator[Span]:
    with (
        tracer.start_as_current_span(
            name,
            context=context,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as current,
        bound(**_ids_of(current)),
    ):
        try:
            yield current
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(StatusCode.ERROR)
            raise
