"""How do people and services prove who they are?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from billwright.runtime.settings_values import (
    WebAddress,
    is_protected,
    long_token,
    lower_case,
    secretly,
)
from billwright.runtime.settings_web import WebSettings

AuthenticationMethod = Literal["api-key", "keycloak", "users"]
TokenValidation = Literal["offline", "online"]


def _jwt_secret(value: str) -> None:
    if len(value.encode()) < 32:
        raise ValueError("a secret has 32 bytes or more")


def _validated(value: object) -> object:
    value = lower_case(value)
    if value == "none":
        raise ValueError("a token that nobody verifies proves nothing; none is not offered")
    return value


def _default_issuer(data: dict[str, Any]) -> str | None:
    server, realm = data.get("keycloak_auth_server_url"), data.get("keycloak_realm")
    return f"{server}/realms/{realm}" if server and realm else None


def _default_method(data: dict[str, Any]) -> AuthenticationMethod:
    if data.get("static_api_key") is not None:
        return "api-key"
    return (
        "keycloak" if data.get("keycloak_auth_server_url") or data.get("oidc_issuer") else "users"
    )


def _issuer_is_set_up(data: dict[str, Any]) -> None:
    if data.get("environment") == "production" and not is_protected(data["oidc_issuer"]):
        raise ValueError("production needs an issuer at an https address")
    if (
        data.get("keycloak_token_validation") == "online"
        and data.get("keycloak_client_secret") is None
    ):
        raise ValueError("KEYCLOAK_TOKEN_VALIDATION=online needs KEYCLOAK_CLIENT_SECRET")


class SignInSettings(WebSettings):
    """Who may call the manager API, and how that is found out."""

    group: ClassVar[str] = "Signing in"

    static_api_key: Annotated[SecretStr, secretly(long_token)] | None = Field(
        None,
        description="key that opens the manager API as an administrator where "
        "AUTHENTICATION_METHOD is api-key",
        examples=["the output of: openssl rand -hex 32"],
    )
    static_api_key_tenant_id: str | None = Field(
        None,
        description="code of the only tenant that STATIC_API_KEY opens; without it, it opens all",
        examples=["default"],
    )
    keycloak_auth_server_url: WebAddress | None = Field(
        None,
        description="address of the Keycloak server that browsers and this process reach",
        examples=["https://login.example.com"],
    )
    keycloak_realm: str | None = Field(
        None, description="realm of the Keycloak server", examples=["billing"]
    )
    keycloak_client_id: str | None = Field(
        None,
        description="client whose tokens are accepted: it is in their aud, or is their azp",
        examples=["billing-console"],
    )
    keycloak_client_secret: SecretStr | None = Field(
        None,
        description="secret of that client; only KEYCLOAK_TOKEN_VALIDATION=online needs it",
        examples=["the secret that the server shows for the client"],
    )
    keycloak_token_validation: Annotated[TokenValidation, BeforeValidator(_validated)] = Field(
        "offline",
        description="how tokens are verified: offline by the issuer's keys, or online by asking it as "
        "well whether it still stands by them",
        examples=["online"],
    )
    oidc_issuer: WebAddress | None = Field(
        default_factory=_default_issuer,
        description="issuer of the tokens, where it is another OpenID Connect server than a Keycloak",
        examples=["https://login.example.com"],
        json_schema_extra={"default": "<KEYCLOAK_AUTH_SERVER_URL>/realms/<KEYCLOAK_REALM>"},
    )
    oidc_issuer_address: WebAddress | None = Field(
        default_factory=lambda data: data.get("oidc_issuer"),
        description="address at which this process asks the issuer, where that is not the one that its "
        "tokens name: inside a cluster, for instance",
        examples=["http://login.internal:8080/realms/billing"],
        json_schema_extra={"default": "<OIDC_ISSUER>"},
    )
    authentication_method: Annotated[AuthenticationMethod, BeforeValidator(lower_case)] = Field(
        default_factory=_default_method,
        validate_default=True,
        description="how callers of the manager API prove who they are: users, keycloak or api-key",
        examples=["users"],
        json_schema_extra={
            "default": "api-key with STATIC_API_KEY, else keycloak with a server, else users"
        },
    )
    jwt_secret: Annotated[SecretStr, secretly(_jwt_secret)] | None = Field(
        None,
        description="signs sessions; without one, the secret follows from the encryption key",
        examples=["the output of: openssl rand -base64 48"],
    )
    disable_signup: bool = Field(
        default=False, description="whether nobody may register", examples=["true"]
    )
    platform_api_users: bool = Field(
        default=False,
        description="whether administrators who signed in may call the platform API as well",
        examples=["true"],
    )

    @field_validator("authentication_method")
    @classmethod
    def _method_is_set_up(
        cls, value: AuthenticationMethod, info: ValidationInfo
    ) -> AuthenticationMethod:
        data = info.data
        if value == "api-key" and data.get("static_api_key") is None:
            raise ValueError("api-key needs STATIC_API_KEY")
        if value == "keycloak" and (
            data.get("oidc_issuer") is None or data.get("keycloak_client_id") is None
        ):
            raise ValueError(
                "keycloak needs KEYCLOAK_CLIENT_ID, and KEYCLOAK_AUTH_SERVER_URL with KEYCLOAK_REALM "
                "or OIDC_ISSUER"
            )
        if value == "keycloak":
            _issuer_is_set_up(data)
        return value
