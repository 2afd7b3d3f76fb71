"""Which application answers the console and every client of the manager API?"""

from __future__ import annotations

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from billwright import __version__
from billwright.runtime.counting import CountsInMemory
from billwright.surfaces.manager_api import (
    audit_routes,
    auth_routes,
    configuration,
    health,
    payment_callbacks,
    tokens_routes,
    users_routes,
)
from billwright.surfaces.manager_api.addresses import require_storable_address
from billwright.surfaces.manager_api.origins import OriginRule, with_cors
from billwright.surfaces.manager_api.rate_limit import limit_by_address
from billwright.surfaces.manager_api.refusals import ERROR_FORM, install_error_handlers
from billwright.surfaces.manager_api.tenant import TenantRule
from billwright.surfaces.web.openapi import install_openapi, operation_id

_DESCRIPTION = (
    "The API of the customer and operator console. Every request names its tenant with `X-Tenant`, "
    "or means the tenant `default`."
)
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key or a token.",
}


class _ManagerApi(FastAPI):
    """Lets pages of other origins read even the answer to a bug, which stands outside middleware."""

    def build_middleware_stack(self) -> ASGIApp:
        return with_cors(super().build_middleware_stack(), self.state.settings)


def create_manager_api() -> FastAPI:
    """The application, to be mounted at `/api`.

    It is built without settings and wiring, so that its document needs neither; to answer requests
    it has them as `app.state.settings` and `app.state.wiring`.
    """
    app = _ManagerApi(
        title="Billwright manager API",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_tags=[
            {"name": "System", "description": "Whether the server answers, and how it is set up."},
            {"name": "Payments", "description": "What has become of money that was asked for."},
            {"name": "Authentication", "description": "Who somebody is, by a password."},
            {
                "name": "Personal access tokens",
                "description": "How a user's programs sign in, each for what it needs.",
            },
            {"name": "Users", "description": "Who signs in at a tenant."},
            {"name": "Audit", "description": "Who did what, when and from where."},
        ],
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
        # They come before those of a route, so that who asks too often is not even looked up.
        dependencies=[Depends(limit_by_address), Depends(require_storable_address)],
    )
    app.state.counts = CountsInMemory()
    install_error_handlers(app)
    app.add_middleware(OriginRule)
    app.add_middleware(TenantRule)  # what is added last comes first
    app.include_router(health.router)
    app.include_router(configuration.router)
    app.include_router(payment_callbacks.router)
    app.include_router(auth_routes.router)
    app.include_router(tokens_routes.router)
    app.include_router(users_routes.router)
    app.include_router(audit_routes.router)
    install_openapi(app, security_schemes={"bearerAuth": _BEARER}, error=ERROR_FORM)
    return app
