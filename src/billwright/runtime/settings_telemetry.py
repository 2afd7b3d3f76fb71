"""What does a process tell about itself, and to whom?"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, SecretStr

from billwright.runtime.settings_database import DatabaseSettings
from billwright.runtime.settings_values import (
    PairList,
    WebAddress,
    exactly_true,
    header_pairs,
    long_token,
    lower_case,
    secretly,
)

TracesSampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


class TelemetrySettings(DatabaseSettings):
    """Log lines, numbers and traces."""

    group: ClassVar[str] = "Logs, numbers and traces"

    log_format: Annotated[Literal["console", "json"], BeforeValidator(lower_case)] = Field(
        default_factory=lambda data: "json" if data["environment"] == "production" else "console",
        description="how log lines are written",
        examples=["json"],
        json_schema_extra={"default": "console in development, json in production"},
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lower_case)
    ] = Field("info", description="lowest level that is logged", examples=["info"])
    metrics_token: Annotated[SecretStr, secretly(long_token)] | None = Field(
        None,
        description="bearer token that a reader of /metrics must show",
        examples=["the output of: openssl rand -hex 32"],
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port on HOST at which each worker shows its numbers; without one it has none",
        examples=[9464],
    )
    otel_enabled: Annotated[bool, BeforeValidator(exactly_true)] = Field(
        default=False,
        description="exactly true: the numbers are shown at OTEL_METRICS_PATH too, where "
        "OTEL_USERNAME and OTEL_PASSWORD are set",
        examples=["true"],
    )
    otel_metrics_path: str = Field(
        "/otel/metrics",
        pattern=r"^/[A-Za-z0-9._~/-]+$",
        description="path of the numbers for who knows OTEL_USERNAME and OTEL_PASSWORD",
        examples=["/otel/metrics"],
    )
    otel_username: str | None = Field(
        None, description="user name at OTEL_METRICS_PATH and the collector", examples=["metrics"]
    )
    otel_password: SecretStr | None = Field(
        None,
        description="password at OTEL_METRICS_PATH and the collector",
        examples=["the output of: openssl rand -hex 32"],
    )
    otel_exporter_otlp_endpoint: WebAddress | None = Field(
        None,
        description="OpenTelemetry collector (OTLP over HTTP) that receives traces and log lines",
        examples=["http://127.0.0.1:4318"],
    )
    otel_exporter_otlp_headers: Annotated[SecretStr, secretly(header_pairs)] | None = Field(
        None,
        description="headers for the collector, as name=value with commas between them; without an "
        "authorization in them, OTEL_USERNAME and OTEL_PASSWORD are one",
        examples=["api-key=0123456789abcdef"],
    )
    otel_service_name: str = Field(
        "billwright",
        description="the name of this service in traces and log lines",
        examples=["billing"],
    )
    otel_resource_attributes: Annotated[dict[str, str], PairList] = Field(
        default={},
        description="what else is told of this service, as name=value with commas between them",
        examples=["deployment.environment.name=production"],
        json_schema_extra={"default": "none"},
    )
    otel_traces_sampler: Annotated[TracesSampler, BeforeValidator(lower_case)] = Field(
        "parentbased_always_on",
        description="which traces are kept: always_on, always_off or traceidratio, or one of them "
        "with parentbased_ before it, which follows the caller's choice",
        examples=["parentbased_traceidratio"],
    )
    otel_traces_sampler_arg: float = Field(
        1.0, ge=0, le=1, description="share of traces that traceidratio keeps", examples=[0.1]
    )
    otel_sdk_disabled: bool = Field(
        default=False, description="whether nothing is sent to the collector", examples=["true"]
    )
