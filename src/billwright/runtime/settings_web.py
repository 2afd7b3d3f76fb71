"""How is HTTP answered, and to whom?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from billwright.runtime.settings_place import PlaceSettings
from billwright.runtime.settings_values import CommaList, PairList, WebAddress, lower_case


def _without_slash(value: str) -> str:
    return value.removeprefix("/")


def _default_websocket_url(data: dict[str, Any]) -> str:
    public = urlsplit(data["public_url"])
    host = public.hostname or ""
    return f"{public.scheme}://{f'[{host}]' if ':' in host else host}:{data['websocket_port']}"


Namespace = Annotated[str, Field(pattern=r"^/?[A-Za-z0-9_-]+$"), AfterValidator(_without_slash)]


class WebSettings(PlaceSettings):
    """The HTTP server, and what it allows."""

    group: ClassVar[str] = "HTTP"

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
    tenant_frontend_urls: Annotated[dict[str, WebAddress], PairList] = Field(
        default={},
        description="addresses of consoles that one tenant alone has, as code=address with commas "
        "between them",
        examples=["north=https://north.example.com"],
        json_schema_extra={"default": "none"},
    )
    websocket_port: int = Field(
        8082,
        ge=1,
        le=65535,
        description="port at which consoles are told to ask for live updates",
        examples=[8082],
    )
    websocket_url: WebAddress = Field(
        default_factory=_default_websocket_url,
        description="address at which consoles are told to ask for live updates",
        examples=["https://live.example.com"],
        json_schema_extra={"default": "<public url> with WEBSOCKET_PORT"},
    )
    websocket_namespace: Namespace = Field(
        "billing", description="namespace of the dashboards' live updates", examples=["billing"]
    )
    projects_websocket_namespace: Namespace = Field(
        "projects", description="namespace of the projects' live updates", examples=["projects"]
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

    def frontend_url_of(self, tenant: str) -> str:
        """The address of the console of the tenant with that code."""
        return self.tenant_frontend_urls.get(tenant, self.billing_frontend_url)
