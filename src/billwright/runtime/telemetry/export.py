"""How do spans and log lines leave the process? In batches, from threads of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from billwright.runtime.telemetry.collector import Collector

_ANSWER_SECONDS = 5
_SEVERITY = {
    "debug": SeverityNumber.DEBUG,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
# What they say is about sending; sending it would make them say more.
_SENDING_LIBRARIES = ("opentelemetry", "urllib3", "requests")
# They have places of their own in a record.
_TOLD_APART = frozenset({"timestamp", "level", "event", "trace_id", "span_id"})


@dataclass(frozen=True, slots=True)
class Exporting:
    """What is sent to a collector, until it is shut down."""

    spans: TracerProvider
    lines: LoggerProvider

    def shutdown(self) -> None:
        """Send what is left, and nothing more."""
        self.spans.shutdown()
        self.lines.shutdown()


class LineExport:
    """Sends log lines, which have passed the redaction."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def __call__(self, line: Mapping[str, object]) -> None:
        if str(line.get("logger", "")).startswith(_SENDING_LIBRARIES):
            return
        level = str(line["level"])
        self._logger.emit(
            context=_trace_of(line),
            severity_number=_SEVERITY.get(level, SeverityNumber.INFO),
            severity_text=level,
            body=str(line["event"]),
            attributes={name: _told(line[name]) for name in line if name not in _TOLD_APART},
        )


def exporting_to(collector: Collector, *, version: str) -> Exporting:
    """Providers that send to the collector."""
    resource = Resource.create(
        {
            **collector.attributes,
            "service.name": collector.service_name,
            "service.version": version,
        }
    )
    headers = dict(collector.headers)
    spans = TracerProvider(resource=resource, sampler=_sampler(collector))
    spans.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter(
                f"{collector.endpoint}/v1/traces", headers=headers, timeout=_ANSWER_SECONDS
            )
        )
    )
    lines = LoggerProvider(resource=resource)
    lines.add_log_record_processor(
        BatchLogRecordProcessor(
            OTLPLogExporter(
                f"{collector.endpoint}/v1/logs", headers=headers, timeout=_ANSWER_SECONDS
            )
        )
    )
    return Exporting(spans, lines)


def _sampler(collector: Collector) -> Sampler:
    name = collector.sampler.removeprefix("parentbased_")
    sampler = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF}.get(name) or TraceIdRatioBased(
        collector.share
    )
    return sampler if name == collector.sampler else ParentBased(sampler)


def _trace_of(line: Mapping[str, object]) -> Context | None:
    """The span that the line names, which may have ended."""
    trace, span = line.get("trace_id"), line.get("span_id")
    if not isinstance(trace, str) or not isinstance(span, str):
        return None
    ids = SpanContext(
        int(trace, 16), int(span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return set_span_in_context(NonRecordingSpan(ids), Context())


def _told(value: object) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else str(value)
