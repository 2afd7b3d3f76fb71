"""For which tenant is a request of the manager API?"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.context import bound
from billwright.surfaces.manager_api.errors import tenant_not_served
from billwright.surfaces.manager_api.refusals import refusal_response

DEFAULT_TENANT = "default"
_EXEMPT = ("/health", "/openapi.json")
# The provider's own signed message says which tenant it is about.
_EXEMPT_BELOW = "/webhooks/payments/"


class TenantRule:
    """ASGI middleware: takes the tenant from `X-Tenant`, or refuses before anything else is asked.

    A tenant is one of TENANTS, spelled exactly; a request that names none means `default`, where
    that is one. Unknown addresses are refused like known ones, so that an answer tells nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "OPTIONS" or _is_exempt(scope):
            await self._app(scope, receive, send)
            return
        settings: Settings = scope["app"].state.settings
        named = ", ".join(Headers(scope=scope).getlist("x-tenant")).strip()
        tenant = named or DEFAULT_TENANT
        if tenant not in settings.tenants:
            await refusal_response(tenant_not_served())(scope, receive, send)
            return
        scope.setdefault("state", {})["tenant"] = tenant
        with bound(tenant=tenant):
            await self._app(scope, receive, send)


def tenant_of(request: Request) -> str:
    """The code of the tenant that the request is for."""
    tenant: str = request.state.tenant
    return tenant


def path_in_api(scope: Scope) -> str:
    """The path of the request below the address of the manager API."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path


def _is_exempt(scope: Scope) -> bool:
    path = path_in_api(scope)
    return path in _EXEMPT or path.startswith(_EXEMPT_BELOW)
