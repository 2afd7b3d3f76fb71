"""How do messages reach people?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from billwright.runtime.settings_telemetry import TelemetrySettings
from billwright.runtime.settings_values import (
    Folder,
    WebAddress,
    lower_case,
    secretly,
    sender,
    signing_secret,
)

MailEncryption = Literal["none", "starttls", "implicit"]


def _default_port(data: dict[str, Any]) -> int:
    """Servers that send mail on want a login, and have it at 587; 1025 is where mail is only caught."""
    return 1025 if data["smtp_user"] is None else 587


def _default_tls(data: dict[str, Any]) -> MailEncryption:
    if data["smtp_port"] == 465:
        return "implicit"
    return "none" if data["smtp_user"] is None else "starttls"


class MailSettings(TelemetrySettings):
    """The mail server, or the service that delivers messages instead."""

    group: ClassVar[str] = "Messages to people"

    smtp_host: str | None = Field(
        None,
        description="mail server; without one, messages are written to the mail folder",
        examples=["smtp.example.com"],
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
    smtp_port: int = Field(
        default_factory=_default_port,
        ge=1,
        le=65535,
        description="port of the mail server",
        examples=[587],
        json_schema_extra={"default": "587 with a user, else 1025"},
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
