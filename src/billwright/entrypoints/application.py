"""What answers which address?"""

from __future__ import annotations

from secrets import compare_digest

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from billwright.features.payments.operations.pay_link import PAY_PATH
from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.payer_page.app import (
    SANDBOX_PATH,
    create_payer_page,
    create_sandbox_page,
)
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.web.body_limit import BodyLimit
from billwright.surfaces.web.documentation import documentation_routes
from billwright.surfaces.web.hot_routes import HotRoutes
from billwright.surfaces.web.problems import problem_response
from billwright.surfaces.web.request_context import RequestContext
from billwright.surfaces.web.wiring import Wiring

DOCUMENTATION_PATH = "/api/docs"
DOCUMENTS = {
    "Platform API": "/api/billing/openapi.json",
    "Manager API": "/api/openapi.json",
}
_QUIET_ROUTES = (
    "/api/health",
    "/metrics",
    "/api/billing/subscriptions/{subscription_id}/entitlements",
    "/api/billing/usage",
    "/api/billing/entitlements/check",
)
_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")


class Application:
    """Every surface under its address, as one ASGI application; to be wired before it is served."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self._platform, self._manager = create_platform_api(), create_manager_api()
        self._payer_page = create_payer_page()
        self._sandbox_page = create_sandbox_page()
        for surface in (self._manager, self._payer_page, self._sandbox_page):
            surface.state.settings = settings
        self._metrics_token = settings.metrics_token
        root = Starlette(
            routes=[
                Route("/", _show_documentation),
                Route("/metrics", self._show_metrics),
                *documentation_routes(DOCUMENTATION_PATH, DOCUMENTS),
                Mount("/api/billing", self._platform),
                Mount("/api", self._manager),
                Mount(PAY_PATH, self._payer_page),
                *([Mount(SANDBOX_PATH, self._sandbox_page)] if settings.payment_sandbox else []),
            ],
            exception_handlers={404: _not_found},
        )
        self.asgi = RequestContext(
            BodyLimit(root),
            metrics=self.metrics,
            hot_routes=HotRoutes({"/api/billing": self._platform}),
            quiet_routes=_QUIET_ROUTES,
            # Who has the rest of the path can pay, and sees what is due.
            secret_below=(f"{PAY_PATH}/",),
        )

    def wire(self, wiring: Wiring) -> None:
        """Give the surfaces what their requests work with."""
        for surface in (self._platform, self._manager, self._payer_page, self._sandbox_page):
            surface.state.wiring = wiring

    async def _show_metrics(self, request: Request) -> Response:
        """The numbers of this process, for the holder of the token; without one, for this machine.

        A request that a proxy passed on does not come from this machine, whatever its address says.
        """
        if self._metrics_token is not None:
            expected = f"Bearer {self._metrics_token.get_secret_value()}"
            given = request.headers.get("authorization", "")
            if not compare_digest(given.encode(), expected.encode()):
                return problem_response(
                    401, code="unauthorized", headers={"WWW-Authenticate": "Bearer"}
                )
        elif not _is_local(request):
            return problem_response(403, code="forbidden")
        return Response(self.metrics.render(), media_type=self.metrics.content_type)


def _is_local(request: Request) -> bool:
    forwarded = any(name in request.headers for name in _FORWARDING_HEADERS)
    return not forwarded and request.client is not None and request.client.host in _LOOPBACK


async def _show_documentation(_request: Request) -> Response:
    return RedirectResponse(DOCUMENTATION_PATH)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problem_response(404, code="route_not_found")
