"""Where are spans and log lines sent, and in whose name?"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from billwright.runtime.settings import Settings
from billwright.runtime.settings_values import header_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """An OpenTelemetry collector (OTLP over HTTP) and what it is told of this process.

    `share` is that of a sampler that keeps some traces only.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    service_name: str = "billwright"
    attributes: Mapping[str, str] = field(default_factory=dict)
    sampler: str = "parentbased_always_on"
    share: float = 1.0


def collector_of(settings: Settings) -> Collector | None:
    """The collector of the settings; none where nothing is to be sent."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None or settings.otel_sdk_disabled:
        return None
    return Collector(
        endpoint=endpoint,
        headers=_headers(settings),
        service_name=settings.otel_service_name,
        attributes=settings.otel_resource_attributes,
        sampler=settings.otel_traces_sampler,
        share=settings.otel_traces_sampler_arg,
    )


def basic_credentials(settings: Settings) -> str | None:
    """What OTEL_USERNAME and OTEL_PASSWORD are as a header; none without both."""
    name, password = settings.otel_username, settings.otel_password
    if name is None or password is None:
        return None
    text = f"{name}:{password.get_secret_value()}"
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def _headers(settings: Settings) -> dict[str, str]:
    given = settings.otel_exporter_otlp_headers
    headers = header_pairs(given.get_secret_value()) if given else {}
    if (basic := basic_credentials(settings)) is not None:
        headers.setdefault("authorization", basic)
    return headers
