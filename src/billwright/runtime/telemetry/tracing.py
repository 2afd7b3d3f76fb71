"""Where does the time of a request or a job go?

Spans are made only when an OTLP endpoint is configured; otherwise `span` costs one comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry.trace import Span, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_NO_SPAN: AbstractContextManager[Span | None] = nullcontext()


class _Tracing:
    tracer: Tracer | None = None


def configure_tracing(endpoint: str | None, *, version: str) -> TracerProvider | None:
    """Send spans to `endpoint`, the address of an OTLP/HTTP collector without its path.

    None turns tracing off. The provider is given to FastAPI, which makes a span of every request
    from it, and is shut down with the process, which sends what is left.
    """
    if endpoint is None:
        _Tracing.tracer = None
        return None
    # The SDK and its exporter take longer to import than the rest of a short command.
    from billwright.runtime.telemetry.span_export import exporting_provider  # noqa: PLC0415

    provider = exporting_provider(endpoint, version=version)
    _Tracing.tracer = provider.get_tracer("billwright", version)
    return provider


def span(name: str, **attributes: AttributeValue) -> AbstractContextManager[Span | None]:
    """A part of the current trace, for example `with span("transaction", tenant=code):`.

    An exception marks it as failed with its type alone; the text may hold what must not leave.
    """
    if _Tracing.tracer is None:
        return _NO_SPAN
    return _recorded(_Tracing.tracer, name, attributes)


@contextmanager
def _recorded(tracer: Tracer, name: str, attributes: dict[str, AttributeValue]) -> Iterator[Span]:
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(StatusCode.ERROR)
            raise
