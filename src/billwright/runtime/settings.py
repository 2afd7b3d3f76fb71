"""Which settings does this process run with?

A value comes from its environment variable, else from the settings file, else from its default. The
file is TOML, its keys are the variables' names in lower case.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import os
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from billwright.runtime.settings_file import default_home, expanded, read_settings_file
from billwright.runtime.settings_sign_in import SignInSettings
from billwright.runtime.settings_values import (
    CommaList,
    Folder,
    WebAddress,
    database_address,
    long_token,
    lower_case,
    secret_with,
    secretly,
    sender,
    signing_secret,
)

KEY_BYTES = 32

MailEncryption = Literal["none", "starttls", "implicit"]

_TENANT_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.IGNORECASE)


class SettingsError(Exception):
    """The settings cannot be used; the text lists every problem and no secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  {p}" for p in problems))
        self.problems = problems


def decode_key(text: str) -> bytes:
    """The 32 bytes of an encryption key from its base64 text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is the base64 text of {KEY_BYTES} random bytes")
    return key


def _default_tls(data: dict[str, Any]) -> MailEncryption:
    if data["smtp_port"] == 465:
        return "implicit"
    return "none" if data["smtp_user"] is None else "starttls"


EncryptionKey = Annotated[SecretStr, secretly(decode_key)]

_KEY_EXAMPLE = "the output of: openssl rand -base64 32"


class Settings(SignInSettings):
    """Every setting of every process, checked and frozen. Read one with `load_settings`.

    A field's alias in upper case is its environment variable.
    """

    database_url: Annotated[SecretStr, secretly(database_address)] | None = Field(
        None,
        description="PostgreSQL 15 to 18 to use instead of the embedded one",
        examples=["postgresql://billwright:password@127.0.0.1:5432/billwright"],
    )
    database_application_url: Annotated[SecretStr, secretly(database_address)] | None = Field(
        None,
        description="the same database for a login that owns nothing and is a member of "
        "billwright_app; without it the application takes that role as the user of DATABASE_URL",
        examples=["postgresql://billwright_service:password@127.0.0.1:5432/billwright"],
    )
    database_pool_size: int = Field(
        10,
        ge=1,
        le=1000,
        description="database connections per process",
        examples=[10],
    )
    postgres_bin_dir: Folder | None = Field(
        None,
        description="programs of another PostgreSQL for the embedded database",
        examples=["/usr/lib/postgresql/18/bin"],
    )
    encryption_key: EncryptionKey | None = Field(
        None,
        validate_default=True,
        description="key of stored secrets: base64 of 32 bytes, mandatory in production; "
        "in development one is generated in the home folder",
        examples=[_KEY_EXAMPLE],
    )
    encryption_keys_retired: Annotated[tuple[EncryptionKey, ...], CommaList] = Field(
        (),
        description="former keys, separated by commas, that still decrypt",
        examples=[_KEY_EXAMPLE],
    )
    log_format: Annotated[Literal["console", "json"], BeforeValidator(lower_case)] = Field(
        default_factory=lambda data: "json" if data["environment"] == "production" else "console",
        description="how log lines are written",
        examples=["json"],
        json_schema_extra={"default": "console in development, json in production"},
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lower_case)
    ] = Field("info", description="lowest level that is logged", examples=["info"])
    otel_exporter_otlp_endpoint: WebAddress | None = Field(
        None,
        description="OpenTelemetry collector (OTLP over HTTP) that receives traces and metrics",
        examples=["http://127.0.0.1:4318"],
    )
    metrics_token: Annotated[SecretStr, secretly(long_token)] | None = Field(
        None,
        description="bearer token that a reader of /metrics must show",
        examples=["the output of: openssl rand -hex 32"],
    )
    smtp_host: str | None = Field(
        None,
        description="mail server; without one, messages are written to the mail folder",
        examples=["smtp.example.com"],
    )
    smtp_port: int = Field(
        587, ge=1, le=65535, description="port of the mail server", examples=[587]
    )
    smtp_user: str | None = Field(
        None, description="user name at the mail server", examples=["billing@example.com"]
    )
    smtp_password: SecretStr | None = Field(
        None,
        validate_default=True,
        description="password at the mail server",
        examples=["the password that belongs to SMTP_USER"],
    )
    smtp_tls: Annotated[MailEncryption, BeforeValidator(lower_case)] = Field(
        default_factory=_default_tls,
        description="how the connection to the mail server is encrypted",
        examples=["starttls"],
        json_schema_extra={"default": "implicit on port 465, starttls with a user, else none"},
    )
    email_from: Annotated[str, AfterValidator(sender)] = Field(
        "noreply@localhost",
        description="sender of messages",
        examples=["Billing <billing@example.com>"],
    )
    mail_folder: Folder = Field(
        default_factory=lambda data: data["billwright_home"] / "mail",
        description="where messages are written when no mail server is set",
        examples=["/var/lib/billwright/mail"],
        json_schema_extra={"default": "<home>/mail"},
    )
    stripe_secret_key: Annotated[SecretStr, secretly(secret_with("sk_", "rk_"))] | None = Field(
        None,
        description="secret key of the Stripe account; with it, payments through Stripe are offered",
        examples=["sk_live_… or a restricted rk_live_…"],
    )
    stripe_webhook_secret: Annotated[
        tuple[Annotated[SecretStr, secretly(secret_with("whsec_"))], ...], CommaList
    ] = Field(
        (),
        description="secrets with which Stripe may sign its callbacks, separated by commas",
        examples=["whsec_…"],
    )
    payment_sandbox: bool = Field(
        default_factory=lambda data: data["environment"] != "production",
        description="whether there is a payment provider that only plays with money",
        examples=["false"],
        json_schema_extra={"default": "true in development, false in production"},
    )
    webhooks_allow_private: bool = Field(
        default_factory=lambda data: data["environment"] != "production",
        description="whether webhooks may go to http addresses and into private networks",
        examples=["false"],
        json_schema_extra={"default": "true in development, false in production"},
    )
    notification_url: WebAddress | None = Field(
        None,
        description="service that delivers messages to people; without one, mails are sent",
        examples=["https://notifications.example.com"],
    )
    notification_secret: Annotated[SecretStr, secretly(signing_secret)] | None = Field(
        None,
        validate_default=True,
        description="secret that signs what the notification service is sent",
        examples=["whsec_ and the output of: openssl rand -base64 32"],
    )
    tenants_allow_default: bool = Field(
        default=True, description="whether the tenant default exists", examples=["false"]
    )
    tenants: Annotated[tuple[str, ...], CommaList] = Field(
        (),
        validate_default=True,
        description="codes of this installation's tenants, separated by commas, "
        "after the tenant default",
        examples=["north,south"],
    )

    @field_validator("encryption_key")
    @classmethod
    def _key_in_production(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("environment") == "production":
            raise ValueError("production needs an encryption key")
        return value

    @field_validator("smtp_password")
    @classmethod
    def _password_with_user(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "smtp_user" in info.data and (value is None) != (info.data["smtp_user"] is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD are given together")
        return value

    @field_validator("notification_secret")
    @classmethod
    def _secret_with_service(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if "notification_url" not in info.data:
            return value  # the address is wrong, and is listed itself
        if (value is None) != (info.data["notification_url"] is None):
            raise ValueError("NOTIFICATION_URL and NOTIFICATION_SECRET are given together")
        return value

    @field_validator("tenants")
    @classmethod
    def _tenant_codes(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        allow_default = info.data.get("tenants_allow_default", True)
        codes = tuple(dict.fromkeys(("default", *value) if allow_default else value))
        if wrong := [code for code in codes if not _TENANT_CODE.fullmatch(code)]:
            raise ValueError(
                f"{wrong[0]!r} is no tenant code: letters, digits, - and _, up to 64 characters"
            )
        if not codes:
            raise ValueError("no tenant is left when TENANTS_ALLOW_DEFAULT is false")
        return codes


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; `environ` stands in for the process environment.

    An empty variable counts as unset. Raises `SettingsError` with every problem at once; a key of
    the file that is no setting is one, an unknown environment variable is not.
    """
    given = os.environ if environ is None else environ
    variables = {name: text.strip() for name, text in given.items() if text.strip()}
    home = expanded(Path(variables.get("BILLWRIGHT_HOME") or default_home(variables)))
    path, in_file, problems = read_settings_file(variables, home=home)
    in_environment = {
        name: variables[name.upper()] for name in _fields_by_name() if name.upper() in variables
    }
    try:
        settings = Settings.model_validate({"billwright_home": home} | in_file | in_environment)
    except ValidationError as error:
        problems += _described(error, file_names=in_file.keys() - in_environment, path=path)
    if problems:
        raise SettingsError(problems)
    return settings


def settings_table() -> list[tuple[str, str, str]]:
    """Every setting for documentation: environment variable, default, description."""
    return [
        (name.upper(), _default_text(field), field.description or "")
        for name, field in _fields_by_name().items()
    ]


def create_own_folder(path: Path) -> None:
    """Create the home or a folder in it; one that exists stays as it is.

    Ours alone, except under root: there the account of the embedded database's server must be able
    to pass through it, and may list nothing.
    """
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _described(error: ValidationError, *, file_names: AbstractSet[str], path: Path) -> list[str]:
    problems = {}
    for detail in error.errors(include_input=False, include_url=False):
        name = str(detail["loc"][0])
        if detail["type"] == "default_factory_not_called":
            continue  # the setting it follows is wrong, and is listed itself
        if detail["type"] == "extra_forbidden":
            similar = difflib.get_close_matches(name, _fields_by_name(), n=1)
            hint = f"; did you mean {similar[0]}?" if similar else ""
            problems[name] = f"{name} in {path} is no setting{hint}"
            continue
        place = f"{name.upper()} (in {path})" if name in file_names else name.upper()
        reason = detail["msg"].removeprefix("Value error, ")
        example = (_fields_by_name()[name].examples or [""])[0]
        problems[name] = f"{place}: {reason}; for example {example}"
    return list(problems.values())


def _fields_by_name() -> dict[str, FieldInfo]:
    return {field.alias or attribute: field for attribute, field in Settings.model_fields.items()}


def _default_text(field: FieldInfo) -> str:
    if isinstance(field.json_schema_extra, dict):
        return str(field.json_schema_extra["default"])
    if field.default is None or field.default == ():
        return "none"
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
