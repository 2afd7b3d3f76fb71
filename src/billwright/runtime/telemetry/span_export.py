"""How do spans leave the process?"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from billwright.runtime.telemetry.redaction import redacted_text


def exporting_provider(endpoint: str, *, version: str) -> TracerProvider:
    """A provider that sends spans in batches, from a thread, to an OTLP/HTTP collector."""
    resource = Resource.create({"service.name": "billwright", "service.version": version})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(_RedactedQuery())
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class _RedactedQuery(SpanProcessor):
    """The framework records the query of a request, which may carry a token."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        query = (span.attributes or {}).get("url.query")
        if isinstance(query, str):
            span.set_attribute("url.query", redacted_text(query))

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing is left to do: the query is known when a span starts."""
