"""What answers which address?"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from billwright.entrypoints.metrics_page import MetricsPage
from billwright.entrypoints.numbers import StoredNumbers
from billwright.features.payments.operations.pay_link import PAY_PATH
from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.tracing import tracing_is_on
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.payer_page.app import (
    SANDBOX_PATH,
    create_payer_page,
    create_sandbox_page,
)
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.web.answer_headers import AnswerHeaders, security_headers
from billwright.surfaces.web.body_limit import BodyLimit
from billwright.surfaces.web.dependencies import Dependencies
from billwright.surfaces.web.documentation import documentation_routes
from billwright.surfaces.web.hot_routes import HotRoutes
from billwright.surfaces.web.problems import problem_response
from billwright.surfaces.web.request_context import RequestContext
from billwright.surfaces.web.request_spans import RequestSpans
from billwright.surfaces.web.wiring import Wiring

DOCUMENTATION_PATH = "/api/docs"
DOCUMENTS = {
    "Platform API": "/api/billing/openapi.json",
    "Manager API": "/api/openapi.json",
}
_HEALTH = "/api/health"
_QUIET_ROUTES = (
    _HEALTH,
    "/api/billing/subscriptions/{subscription_id}/entitlements",
    "/api/billing/usage",
    "/api/billing/entitlements/check",
)


class Application:
    """Every surface under its address, as one ASGI application; to be wired before it is served."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self._platform, self._manager = create_platform_api(), create_manager_api()
        self._payer_page = create_payer_page()
        self._sandbox_page = create_sandbox_page()
        for surface in (self._manager, self._payer_page, self._sandbox_page):
            surface.state.settings = settings
        self._metrics_page = MetricsPage(self.metrics, settings)
        root = Starlette(
            routes=[
                Route("/", _show_documentation),
                *self._metrics_page.routes(),
                *documentation_routes(DOCUMENTATION_PATH, DOCUMENTS),
                Mount("/api/billing", self._platform),
                Mount("/api", self._manager),
                Mount(PAY_PATH, self._payer_page),
                *([Mount(SANDBOX_PATH, self._sandbox_page)] if settings.payment_sandbox else []),
            ],
            exception_handlers={404: _not_found},
        )
        https_only = _is_https_only(settings)
        answering: ASGIApp = AnswerHeaders(BodyLimit(root), https_only=https_only)
        if tracing_is_on():
            answering = RequestSpans(answering, untraced_paths=(*self._metrics_page.paths, _HEALTH))
        self.asgi = RequestContext(
            answering,
            metrics=self.metrics,
            hot_routes=HotRoutes({"/api/billing": self._platform}),
            headers=security_headers(https_only=https_only),
            quiet_routes=(*_QUIET_ROUTES, *self._metrics_page.paths),
            # Who has the rest of the path can pay, and sees what is due.
            secret_below=(f"{PAY_PATH}/",),
        )

    def wire(self, wiring: Wiring) -> None:
        """Give the surfaces what their requests work with."""
        for surface in (self._platform, self._manager, self._payer_page, self._sandbox_page):
            surface.state.wiring = wiring
        self._manager.state.dependencies = Dependencies(wiring.database)
        self._metrics_page.refresh = StoredNumbers(wiring.database, self.metrics).refresh


def _is_https_only(settings: Settings) -> bool:
    return settings.environment == "production" and settings.public_url.startswith("https:")


async def _show_documentation(_request: Request) -> Response:
    return RedirectResponse(DOCUMENTATION_PATH)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problem_response(404, code="route_not_found")
