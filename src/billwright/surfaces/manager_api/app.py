"""Which application answers the console and every client of the manager API?"""

from __future__ import annotations

from fastapi import FastAPI

from billwright import __version__
from billwright.surfaces.manager_api import configuration, health, payment_callbacks
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


def create_manager_api() -> FastAPI:
    """The application, to be mounted at `/api`.

    It is built without settings and wiring, so that its document needs neither; to answer requests
    it has them as `app.state.settings` and `app.state.wiring`.
    """
    app = FastAPI(
        title="Billwright manager API",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_tags=[
            {"name": "System", "description": "Whether the server answers, and how it is set up."},
            {"name": "Payments", "description": "What has become of money that was asked for."},
        ],
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
    )
    install_error_handlers(app)
    app.add_middleware(TenantRule)
    app.include_router(health.router)
    app.include_router(configuration.router)
    app.include_router(payment_callbacks.router)
    install_openapi(app, security_schemes={"bearerAuth": _BEARER}, error=ERROR_FORM)
    return app
