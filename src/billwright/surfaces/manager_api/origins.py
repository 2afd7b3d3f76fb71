"""Which web pages may call the manager API, from a browser?

Browsers keep pages of other origins from reading answers unless CORS allows it, and that alone stops
no command: what changes something is refused besides if the page that sends it is not allowed.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from billwright.runtime.settings import Settings
from billwright.surfaces.manager_api.refusals import error_response
from billwright.surfaces.manager_api.tenant import path_in_api
from billwright.surfaces.web.wiring import Wiring

_ANY = "*"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ALLOWED_HEADERS = (
    "Content-Type",
    "Authorization",
    "X-Correlation-Id",
    "X-Request-Id",
    "X-Tenant",
    "Idempotency-Key",
)
_EXPOSED_HEADERS = (
    "Content-Range",
    "X-Content-Range",
    "X-Correlation-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
)
# Servers call these, and a health check changes nothing.
_EXEMPT, _EXEMPT_BELOW = "/health", "/webhooks/payments/"


def with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """`app`, which answers preflights before anything else and lets allowed pages read its answers.

    Every page may in development without CORS_ORIGIN, and where that is `*`. Credentials of the
    browser are for pages that are named, never for any.
    """
    allowed = _allowed_origins(settings)
    if not allowed and settings.environment != "production":
        allowed = frozenset({_ANY})
    return CORSMiddleware(
        app,
        allow_origins=allowed,
        allow_methods=_METHODS,
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
        allow_credentials=bool(allowed) and _ANY not in allowed,
    )


class OriginRule:
    """ASGI middleware: refuses commands of pages that are not in CORS_ORIGIN.

    It holds in production and wherever CORS_ORIGIN is set, for requests with an `Origin` header,
    which browsers send and other clients do not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in _CHANGING and not _may_change(scope):
            wiring: Wiring = scope["app"].state.wiring
            wiring.metrics.count_origin_refused()
            await error_response(403, "Origin not allowed")(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _may_change(scope: Scope) -> bool:
    origins = Headers(scope=scope).getlist("origin")
    path = path_in_api(scope)
    if not origins or path == _EXEMPT or path.startswith(_EXEMPT_BELOW):
        return True
    settings: Settings = scope["app"].state.settings
    if settings.environment != "production" and not settings.cors_origin:
        return True
    allowed = _allowed_origins(settings)
    return _ANY in allowed or all(origin.lower() in allowed for origin in origins)


def _allowed_origins(settings: Settings) -> frozenset[str]:
    """As browsers write an origin, which has no capitals and no path."""
    return frozenset(origin.lower().rstrip("/") for origin in settings.cors_origin)
