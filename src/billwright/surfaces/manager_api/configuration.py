"""What does a console need to know before anybody has logged in?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from billwright import __version__
from billwright.features.payment_providers.port import Capability
from billwright.features.tenancy.sql.reads import find_seller
from billwright.kernel.actor import system_actor
from billwright.runtime.settings import Settings
from billwright.surfaces.manager_api.tenant import tenant_of
from billwright.surfaces.web.wiring import Wiring

router = APIRouter(tags=["System"])


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class BillingConfiguration(_Camel):
    rest_api_url: str = Field(description="Where this API is reached.")
    frontend_url: str = Field(description="Where the tenant's console is reached.")
    websocket_url: str = Field(description="Namespace of the dashboards' live updates.")
    projects_websocket_url: str = Field(description="Namespace of the projects' live updates.")
    tenant_id: str = Field(description="The tenant to send as `X-Tenant`.")
    currency: str = Field(description="What the tenant's seller keeps its books in, by ISO 4217.")
    payments_enabled: bool = Field(description="Whether payers find a page to pay on.")


class AuthenticationConfiguration(_Camel):
    type: Literal["api-key", "users", "keycloak"] = Field(
        description="How callers prove who they are."
    )
    disable_signup: bool | None = Field(
        None, description="Whether nobody may register, where people could."
    )
    auth_server_url: str | None = Field(None, description="Where people sign in instead.")
    realm: str | None = None
    client_id: str | None = None


class Features(_Camel):
    registration: bool = Field(description="Whether people may register.")
    payment_sandbox: bool = Field(description="Whether there is money to play with.")
    platform_api_users: bool = Field(
        description="Whether administrators who signed in may call the platform API as well."
    )


class PublicConfiguration(_Camel):
    product_name: str
    version: str
    billing: BillingConfiguration
    authentication: AuthenticationConfiguration
    features: Features


@router.get(
    "/config",
    operation_id="getConfig",
    openapi_extra={"security": []},
    response_model_exclude_none=True,
)
async def config(request: Request, response: Response) -> PublicConfiguration:
    """The public configuration of the tenant that the request names; it holds no secret."""
    settings: Settings = request.app.state.settings
    production = settings.environment == "production"
    response.headers["Cache-Control"] = (
        "private, max-age=60, stale-while-revalidate=300" if production else "private, no-cache"
    )
    response.headers["Vary"] = "X-Tenant"
    wiring: Wiring = request.app.state.wiring
    tenant = tenant_of(request)
    return PublicConfiguration(
        product_name="Billwright",
        version=__version__,
        billing=BillingConfiguration(
            rest_api_url=f"{settings.public_url}/api",
            frontend_url=settings.frontend_url_of(tenant),
            websocket_url=f"{settings.websocket_url}/{settings.websocket_namespace}",
            projects_websocket_url=(
                f"{settings.websocket_url}/{settings.projects_websocket_namespace}"
            ),
            tenant_id=tenant,
            currency=await _currency_of(tenant, wiring) or settings.billing_default_currency,
            payments_enabled=any(
                Capability.CHECKOUT in provider.capabilities
                for provider in wiring.payment_providers.values()
            ),
        ),
        authentication=_authentication(settings),
        features=Features(
            registration=settings.authentication_method == "users" and not settings.disable_signup,
            payment_sandbox=settings.payment_sandbox,
            platform_api_users=settings.platform_api_users,
        ),
    )


async def _currency_of(code: str, wiring: Wiring) -> str | None:
    """The currency of the tenant's seller; none while the tenant has not been created."""
    tenant_id = await wiring.database.tenant_by_code(code)
    if tenant_id is None:
        return None
    async with wiring.database.tx(
        tenant_id, actor=system_actor("configuration"), cause="getConfig"
    ) as tx:
        seller = await find_seller(tx)
        return None if seller is None else seller.currency


def _authentication(settings: Settings) -> AuthenticationConfiguration:
    method = settings.authentication_method
    if method == "users":
        return AuthenticationConfiguration(type=method, disable_signup=settings.disable_signup)
    if method == "keycloak":
        return AuthenticationConfiguration(
            type=method,
            auth_server_url=settings.keycloak_auth_server_url or settings.oidc_issuer,
            realm=settings.keycloak_realm,
            client_id=settings.keycloak_client_id,
        )
    return AuthenticationConfiguration(type=method)
