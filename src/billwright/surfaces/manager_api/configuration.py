"""What does a console need to know before anybody has logged in?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from billwright.runtime.settings import Settings
from billwright.surfaces.manager_api.tenant import tenant_of

router = APIRouter(tags=["System"])


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class BillingConfiguration(_Camel):
    rest_api_url: str = Field(description="Where this API is reached.")
    frontend_url: str = Field(description="Where the console is reached.")
    websocket_url: str = Field(description="Namespace of the dashboards' live updates.")
    projects_websocket_url: str = Field(description="Namespace of the projects' live updates.")
    tenant_id: str = Field(description="The tenant to send as `X-Tenant`.")


class AuthenticationConfiguration(_Camel):
    type: Literal["api-key", "users", "keycloak"] = Field(
        description="How callers prove who they are."
    )


class PublicConfiguration(_Camel):
    billing: BillingConfiguration
    authentication: AuthenticationConfiguration
    product_name: str


@router.get("/config", operation_id="getConfig", openapi_extra={"security": []})
async def config(request: Request, response: Response) -> PublicConfiguration:
    """The public configuration of the tenant that the request names; it holds no secret."""
    settings: Settings = request.app.state.settings
    production = settings.environment == "production"
    response.headers["Cache-Control"] = (
        "private, max-age=60, stale-while-revalidate=300" if production else "private, no-cache"
    )
    response.headers["Vary"] = "X-Tenant"
    address = settings.public_url
    return PublicConfiguration(
        billing=BillingConfiguration(
            rest_api_url=f"{address}/api",
            frontend_url=address,
            websocket_url=f"{address}/billing",
            projects_websocket_url=f"{address}/projects",
            tenant_id=tenant_of(request),
        ),
        authentication=AuthenticationConfiguration(type="api-key"),
        product_name="Billwright",
    )
