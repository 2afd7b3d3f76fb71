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
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from billwright.runtime.settings_file import default_home, expanded, read_settings_file
from billwright.runtime.settings_mail import MailSettings
from billwright.runtime.settings_names import ALTERNATES, given_otherwise
from billwright.runtime.settings_values import CommaList, secret_with, secretly

KEY_BYTES = 32

DEFAULT_TENANT = "default"

_TENANT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


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


EncryptionKey = Annotated[SecretStr, secretly(decode_key)]

_KEY_EXAMPLE = "the output of: openssl rand -base64 32"


class KeySettings(MailSettings):
    """What stored secrets are encrypted with."""

    group: ClassVar[str] = "Stored secrets"

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

    @field_validator("encryption_key")
    @classmethod
    def _key_in_production(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("environment") == "production":
            raise ValueError("production needs an encryption key")
        return value


class OutsideSettings(KeySettings):
    """Payment providers and webhooks."""

    group: ClassVar[str] = "Payments and webhooks"

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
    webhook_allow_internal_host: bool = Field(
        default=False,
        description="no more than WEBHOOKS_ALLOW_PRIVATE says; in production, true is refused",
        examples=["false"],
    )
    webhook_allow_insecure_http: bool = Field(
        default=False,
        description="no more than WEBHOOKS_ALLOW_PRIVATE says; in production, true is refused",
        examples=["false"],
    )

    @field_validator("webhook_allow_internal_host", "webhook_allow_insecure_http")
    @classmethod
    def _not_in_production(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's
        if value and info.data.get("environment") == "production":
            raise ValueError("production sends webhooks to public https addresses only")
        return value


class Settings(OutsideSettings):
    """Every setting of every process, checked and frozen. Read one with `load_settings`.

    A field's alias in upper case is its environment variable.
    """

    group: ClassVar[str] = "Tenants"

    billing_default_currency: str = Field(
        "EUR",
        pattern=r"^[A-Z]{3}$",
        description="currency that a console shows for a tenant without a seller",
        examples=["EUR"],
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

    @field_validator("tenants")
    @classmethod
    def _tenant_codes(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        allow_default = info.data.get("tenants_allow_default", True)
        codes = tuple(dict.fromkeys((DEFAULT_TENANT, *value) if allow_default else value))
        if wrong := [code for code in codes if not _TENANT_CODE.fullmatch(code)]:
            raise ValueError(
                f"{wrong[0]!r} is no tenant code: letters, digits, - and _, up to 64 characters"
            )
        if not codes:
            raise ValueError("no tenant is left when TENANTS_ALLOW_DEFAULT is false")
        return codes

    @property
    def names_tenants(self) -> bool:
        """Whether somebody said which tenants there are."""
        return "tenants" in self.model_fields_set


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; `environ` stands in for the process environment.

    An empty variable counts as unset. Raises `SettingsError` with every problem at once; a key of
    the file that is no setting is one, an unknown environment variable is not.
    """
    given = os.environ if environ is None else environ
    variables = {name: text.strip() for name, text in given.items() if text.strip()}
    home = expanded(Path(variables.get("BILLWRIGHT_HOME") or default_home(variables)))
    otherwise = given_otherwise(variables)
    path, in_file, problems = read_settings_file(variables, home=home)
    in_environment = {
        name: variables[name.upper()] for name in fields_by_name() if name.upper() in variables
    }
    try:
        settings = Settings.model_validate(
            {"billwright_home": home} | otherwise | in_file | in_environment
        )
    except ValidationError as error:
        places = {setting: name for name, setting in ALTERNATES.items() if setting in otherwise}
        places |= {name: f"{name.upper()} (in {path})" for name in in_file}
        places |= {name: name.upper() for name in in_environment}
        problems += _described(error, places=places, path=path)
    if problems:
        raise SettingsError(problems)
    return settings


def fields_by_name() -> dict[str, FieldInfo]:
    """Every setting by its key in the settings file; in upper case it is its variable."""
    return {field.alias or attribute: field for attribute, field in Settings.model_fields.items()}


def create_own_folder(path: Path) -> None:
    """Create the home or a folder in it; one that exists stays as it is.

    Ours alone, except under root: there the account of the embedded database's server must be able
    to pass through it, and may list nothing.
    """
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _described(error: ValidationError, *, places: Mapping[str, str], path: Path) -> list[str]:
    problems = {}
    for detail in error.errors(include_input=False, include_url=False):
        name = str(detail["loc"][0])
        if detail["type"] == "default_factory_not_called":
            continue  # the setting it follows is wrong, and is listed itself
        if detail["type"] == "extra_forbidden":
            similar = difflib.get_close_matches(name, fields_by_name(), n=1)
            hint = f"; did you mean {similar[0]}?" if similar else ""
            problems[name] = f"{name} in {path} is no setting{hint}"
            continue
        reason = detail["msg"].removeprefix("Value error, ")
        example = (fields_by_name()[name].examples or [""])[0]
        problems[name] = f"{places.get(name, name.upper())}: {reason}; for example {example}"
    return list(problems.values())
