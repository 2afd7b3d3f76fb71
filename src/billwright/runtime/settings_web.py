"""How is HTTP answered, and to whom?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from billwright.runtime.settings_place import PlaceSettings
from billwright.runtime.settings_values import CommaList, WebAddress, lower_case


class WebSettings(PlaceSettings):
    """The HTTP server, and what it allows."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="address that the HTTP server listens on",
        examples=["127.0.0.1"],
    )
    port: int = Field(
        3200, ge=1, le=65535, description="port that the HTTP server listens on", examples=[3200]
    )
    public_url: WebAddress = Field(
        default_factory=lambda data: f"http://127.0.0.1:{data['port']}",
        description="address under which people and payment providers reach this installation",
        examples=["https://billing.example.com"],
        json_schema_extra={"default": "http://127.0.0.1:<port>"},
    )
    billing_frontend_url: WebAddress = Field(
        default_factory=lambda data: data["public_url"],
        description="address of the console, to which payers come back and messages lead",
        examples=["https://console.example.com"],
        json_schema_extra={"default": "<public url>"},
    )
    forwarded_allow_ips: Annotated[tuple[str, ...], CommaList] = Field(
        ("127.0.0.1",),
        description="addresses of proxies whose X-Forwarded-For and -Proto are believed, separated by "
        "commas; * believes everybody",
        examples=["10.0.0.5"],
    )
    cors_origin: Annotated[tuple[str, ...], CommaList] = Field(
        (),
        description="origins of web pages that may call the manager API, separated by commas; * is any. "
        "Without one, any may in development and none in production",
        examples=["https://billing.example.com"],
    )
    rate_limit_enabled: bool = Field(
        default_factory=lambda data: data["environment"] == "production",
        description="whether RATE_LIMIT_LIMIT holds; signing in is always limited",
        examples=["true"],
        json_schema_extra={"default": "true in production, false in development"},
    )
    rate_limit_limit: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="requests that one address may send to one route in RATE_LIMIT_TTL",
        examples=[100],
    )
    rate_limit_ttl: int = Field(
        60,
        ge=1,
        le=86_400,
        description="seconds after which requests are counted anew",
        examples=[60],
    )
    rate_limit_store: Annotated[Literal["memory", "database"], BeforeValidator(lower_case)] = Field(
        "memory",
        description="where requests are counted: in each process, or in PostgreSQL for all of them",
        examples=["database"],
    )
