"""Do settings say everything that is wrong with them at once, and no secret?"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from billwright.runtime.settings import (
    Settings,
    SettingsError,
    create_own_folder,
    load_settings,
)
from billwright.runtime.settings_table import settings_table

KEY = base64.b64encode(bytes(range(32))).decode()

# A wrong value for every setting that can be wrong; the secrets are recognizable.
WRONG = {
    "BILLWRIGHT_ENVIRONMENT": "staging",
    "DATABASE_URL": "mysql://user:hidden-1@host/name",
    "DATABASE_APPLICATION_URL": "host/name",
    "DATABASE_POOL_SIZE": "0",
    "PORT": "seventy",
    "PUBLIC_URL": "billing.example.com",
    "ENCRYPTION_KEY": "hidden-2",
    "ENCRYPTION_KEYS_RETIRED": f"{KEY},hidden-3",
    "LOG_FORMAT": "xml",
    "LOG_LEVEL": "loud",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4317",
    "METRICS_TOKEN": "hidden-4",
    "SMTP_PORT": "99999",
    "SMTP_PASSWORD": "hidden-5",
    "SMTP_TLS": "ssl",
    "EMAIL_FROM": "nobody",
    "STRIPE_SECRET_KEY": "hidden-6",
    "STRIPE_WEBHOOK_SECRET": "whsec_right,hidden-7",
    "PAYMENT_SANDBOX": "sometimes",
    "WEBHOOKS_ALLOW_PRIVATE": "at night",
    "NOTIFICATION_URL": "notifications.example.com",
    "NOTIFICATION_SECRET": "whsec_hidden-8",
    "BILLING_FRONTEND_URL": "console.example.com",
    "TENANT_FRONTEND_URLS": "north=https://north.example.com,south",
    "WEBSOCKET_PORT": "0",
    "WEBSOCKET_URL": "live.example.com",
    "WEBSOCKET_NAMESPACE": "a/b",
    "PROJECTS_WEBSOCKET_NAMESPACE": "a b",
    "DB_PORT": "0",
    "METRICS_PORT": "99999",
    "OTEL_METRICS_PATH": "metrics",
    "OTEL_EXPORTER_OTLP_HEADERS": "hidden-11",
    "OTEL_RESOURCE_ATTRIBUTES": "production",
    "OTEL_TRACES_SAMPLER": "some",
    "OTEL_TRACES_SAMPLER_ARG": "2",
    "OTEL_SDK_DISABLED": "hardly",
    "WEBHOOK_ALLOW_INTERNAL_HOST": "hardly",
    "WEBHOOK_ALLOW_INSECURE_HTTP": "hardly",
    "BILLING_DEFAULT_CURRENCY": "euro",
    "RATE_LIMIT_ENABLED": "rarely",
    "RATE_LIMIT_LIMIT": "0",
    "RATE_LIMIT_TTL": "0",
    "RATE_LIMIT_STORE": "redis",
    "STATIC_API_KEY": "hidden-9",
    "KEYCLOAK_AUTH_SERVER_URL": "login.example.com",
    "KEYCLOAK_TOKEN_VALIDATION": "none",
    "OIDC_ISSUER": "login.example.com",
    "OIDC_ISSUER_ADDRESS": "login.internal",
    "AUTHENTICATION_METHOD": "cookies",
    "JWT_SECRET": "hidden-10",
    "DISABLE_SIGNUP": "perhaps",
    "PLATFORM_API_USERS": "some",
    "TENANTS": "north,-south",
    "TENANTS_ALLOW_DEFAULT": "perhaps",
}
ANYTHING_GOES = {
    "BILLWRIGHT_SETTINGS",
    "DB_DATABASE",
    "DB_HOST",
    "DB_PASSWORD",
    "DB_USERNAME",
    "OTEL_ENABLED",
    "OTEL_PASSWORD",
    "OTEL_SERVICE_NAME",
    "OTEL_USERNAME",
    "CORS_ORIGIN",
    "FORWARDED_ALLOW_IPS",
    "KEYCLOAK_CLIENT_ID",
    "KEYCLOAK_CLIENT_SECRET",
    "KEYCLOAK_REALM",
    "STATIC_API_KEY_TENANT_ID",
    "BILLWRIGHT_HOME",
    "HOST",
    "MAIL_FOLDER",
    "POSTGRES_BIN_DIR",
    "SMTP_HOST",
    "SMTP_USER",
}


def settings_with(tmp_path: Path, **variables: str) -> Settings:
    return load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})


def test_every_problem_is_listed_with_an_example_and_without_secrets(tmp_path: Path):
    with pytest.raises(SettingsError) as refusal:
        settings_with(tmp_path, **WRONG)
    text = str(refusal.value)
    assert {problem.split(":")[0] for problem in refusal.value.problems} == set(WRONG)
    assert all("; for example " in problem for problem in refusal.value.problems)
    assert "hidden" not in text
    assert KEY not in text


def test_every_setting_is_either_checked_or_free(tmp_path: Path):
    assert {row.name for row in settings_table()} == WRONG.keys() | ANYTHING_GOES
    for row in settings_table():
        assert row.default, row.name
        assert row.example, row.name
        assert len(row.meaning) > 15, row.name
    assert {row.name for row in settings_table() if row.is_secret} == {
        *("DATABASE_APPLICATION_URL", "DATABASE_URL", "DB_PASSWORD", "ENCRYPTION_KEY"),
        *("ENCRYPTION_KEYS_RETIRED", "JWT_SECRET", "KEYCLOAK_CLIENT_SECRET", "METRICS_TOKEN"),
        *("NOTIFICATION_SECRET", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_PASSWORD", "SMTP_PASSWORD"),
        *("STATIC_API_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"),
    }


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_alone_from_the_file_too(tmp_path: Path, name: str):
    value = WRONG[name].replace('"', "")
    (tmp_path / "billwright.toml").write_text(f'{name.lower()} = "{value}"\n')
    with pytest.raises(SettingsError) as refusal:
        settings_with(tmp_path)
    assert len(refusal.value.problems) == 1
    assert refusal.value.problems[0].startswith(f"{name} (in {tmp_path / 'billwright.toml'}): ")


def test_defaults(tmp_path: Path):
    settings = settings_with(tmp_path)
    assert settings.database_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 3200)
    assert settings.public_url == "http://127.0.0.1:3200"
    assert settings.mail_folder == tmp_path / "mail"
    assert settings.environment == "development"
    assert settings.log_format == "console"
    assert settings.tenants == ("default",)
    assert settings.smtp_tls == "none"
    assert settings.payment_sandbox
    assert settings.webhooks_allow_private


def test_defaults_follow_other_settings(tmp_path: Path):
    settings = settings_with(
        tmp_path,
        BILLWRIGHT_ENVIRONMENT="Production",
        ENCRYPTION_KEY=KEY,
        PORT="8080",
        SMTP_USER="billing",
        SMTP_PASSWORD="secret",
    )
    assert settings.log_format == "json"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.smtp_tls == "starttls"
    assert not settings.payment_sandbox
    assert not settings.webhooks_allow_private
    assert settings.smtp_port == 587
    assert settings_with(tmp_path, SMTP_PORT="465").smtp_tls == "implicit"
    assert settings_with(tmp_path).smtp_port == 1025


def test_a_notification_service_has_an_address_and_a_secret(tmp_path: Path):
    with pytest.raises(SettingsError, match="given together"):
        settings_with(tmp_path, NOTIFICATION_URL="https://notifications.example.com")
    settings = settings_with(
        tmp_path,
        NOTIFICATION_URL="https://notifications.example.com/",
        NOTIFICATION_SECRET=f"whsec_{KEY}",
    )
    assert settings.notification_url == "https://notifications.example.com"


KEYCLOAK = {
    "KEYCLOAK_AUTH_SERVER_URL": "https://login.example.com/",
    "KEYCLOAK_REALM": "billing",
    "KEYCLOAK_CLIENT_ID": "console",
}


def test_a_keycloak_server_is_the_issuer_of_its_realm(tmp_path: Path):
    settings = settings_with(tmp_path, **KEYCLOAK)
    assert settings.authentication_method == "keycloak"
    assert settings.oidc_issuer == "https://login.example.com/realms/billing"
    assert settings.oidc_issuer_address == settings.oidc_issuer
    assert settings.keycloak_token_validation == "offline"


def test_an_issuer_may_be_asked_elsewhere_than_its_tokens_say(tmp_path: Path):
    address = "http://login.internal:8080/realms/billing"
    settings = settings_with(tmp_path, **KEYCLOAK, OIDC_ISSUER_ADDRESS=f"{address}/")
    assert settings.oidc_issuer == "https://login.example.com/realms/billing"
    assert settings.oidc_issuer_address == address


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"KEYCLOAK_TOKEN_VALIDATION": "NONE"}, "proves nothing"),
        ({"KEYCLOAK_TOKEN_VALIDATION": "online"}, "needs KEYCLOAK_CLIENT_SECRET"),
        ({"KEYCLOAK_CLIENT_ID": ""}, "needs KEYCLOAK_CLIENT_ID"),
        (
            {
                "BILLWRIGHT_ENVIRONMENT": "production",
                "ENCRYPTION_KEY": KEY,
                "OIDC_ISSUER": "http://login.example.com",
            },
            "https",
        ),
    ],
)
def test_an_issuer_is_set_up_so_that_its_word_counts(
    tmp_path: Path, changed: dict[str, str], problem: str
):
    with pytest.raises(SettingsError, match=problem) as refusal:
        settings_with(tmp_path, **(KEYCLOAK | changed))
    assert len(refusal.value.problems) == 1


def test_production_needs_a_key_whatever_else_is_wrong(tmp_path: Path):
    with pytest.raises(SettingsError) as refusal:
        settings_with(tmp_path, BILLWRIGHT_ENVIRONMENT="production", PORT="x")
    assert [problem.split(":")[0] for problem in refusal.value.problems] == [
        "PORT",
        "ENCRYPTION_KEY",
    ]


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(tmp_path: Path):
    (tmp_path / "billwright.toml").write_text(
        'port = 4000\nhost = "0.0.0.0"\ntenants = ["north"]\ntenants_allow_default = false\n'
    )
    settings = settings_with(tmp_path, PORT="5000", HOST=" ")
    assert (settings.host, settings.port) == ("0.0.0.0", 5000)  # noqa: S104 - read, not bound
    assert settings.tenants == ("north",)


def test_a_named_file_is_read_instead_of_the_home(tmp_path: Path):
    (tmp_path / "billwright.toml").write_text("port = 4000\n")
    named = tmp_path / "other.toml"
    named.write_text(f'port = 4001\nbillwright_home = "{tmp_path / "elsewhere"}"\n')
    settings = load_settings({"BILLWRIGHT_SETTINGS": str(named)})
    assert settings.port == 4001
    assert settings.billwright_home == tmp_path / "elsewhere"
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read"):
        settings_with(tmp_path, BILLWRIGHT_SETTINGS=str(tmp_path / "missing.toml"))


def test_a_typing_error_in_the_file_is_refused_and_unknown_variables_are_not(tmp_path: Path):
    (tmp_path / "billwright.toml").write_text('encription_key = "hidden"\nport = "x"\n')
    with pytest.raises(SettingsError) as refusal:
        settings_with(tmp_path, ENCRIPTION_KEY="hidden")
    assert len(refusal.value.problems) == 2
    assert "did you mean encryption_key?" in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def test_a_broken_file_is_refused_by_its_place_along_with_the_rest(tmp_path: Path):
    (tmp_path / "billwright.toml").write_text("port = 1\nencryption_key = hidden\n")
    with pytest.raises(SettingsError) as refusal:
        settings_with(tmp_path, SMTP_PORT="x")
    assert len(refusal.value.problems) == 2
    assert "line 2" in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def test_tenants_keep_their_order_and_begin_with_the_default(tmp_path: Path):
    assert settings_with(tmp_path, TENANTS="north, South,north,").tenants == (
        "default",
        "north",
        "South",
    )
    assert settings_with(tmp_path, TENANTS="north", TENANTS_ALLOW_DEFAULT="FALSE").tenants == (
        "north",
    )
    with pytest.raises(SettingsError, match="no tenant is left"):
        settings_with(tmp_path, TENANTS_ALLOW_DEFAULT="false")


def test_secrets_of_callbacks_rotate_side_by_side(tmp_path: Path):
    settings = settings_with(tmp_path, STRIPE_WEBHOOK_SECRET="whsec_new, whsec_old")
    assert [each.get_secret_value() for each in settings.stripe_webhook_secret] == [
        "whsec_new",
        "whsec_old",
    ]
    assert "whsec" not in repr(settings)


def test_settings_are_frozen_and_show_no_secret(tmp_path: Path):
    settings = settings_with(
        tmp_path, DATABASE_URL="postgresql://u:hidden@127.0.0.1/d", METRICS_TOKEN="hidden" * 3
    )
    assert "hidden" not in repr(settings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HOME": "/h"}, "/h/.local/share/billwright"),
        ({"HOME": "/h", "XDG_DATA_HOME": "relative"}, "/h/.local/share/billwright"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/data"}, "/data/billwright"),
        ({"HOME": "/h", "BILLWRIGHT_HOME": "/chosen"}, "/chosen"),
    ],
)
def test_the_home_of_an_ordinary_user(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert load_settings(variables).billwright_home == Path(expected)


def test_the_home_of_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert load_settings({"HOME": "/root"}).billwright_home == Path("/var/lib/billwright")


def test_an_existing_home_keeps_its_permissions(tmp_path: Path):
    create_own_folder(tmp_path / "new" / "home")
    expected = 0o711 if os.geteuid() == 0 else 0o700
    assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == expected
    (tmp_path / "old").mkdir(mode=0o750)
    create_own_folder(tmp_path / "old")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(("given", "expected"), [("Production", "production"), ("test", None)])
def test_another_name_says_only_that_it_is_production(
    tmp_path: Path, given: str, expected: str | None
):
    settings = settings_with(tmp_path, NODE_ENV=given, ENCRYPTION_KEY=KEY)
    assert settings.environment == (expected or "development")
    own = {"BILLWRIGHT_ENVIRONMENT": "development"}
    assert settings_with(tmp_path, NODE_ENV=given, **own).environment == "development"
    (tmp_path / "billwright.toml").write_text('billwright_environment = "development"\n')
    assert settings_with(tmp_path, NODE_ENV=given).environment == "development"


def test_another_name_is_blamed_for_its_value(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"used:\n  KEYCLOAK_SERVER_URL: "):
        settings_with(tmp_path, KEYCLOAK_SERVER_URL="login.example.com")
    settings = settings_with(
        tmp_path,
        KEYCLOAK_SERVER_URL="https://login.example.com/",
        KEYCLOAK_REALM="billing",
        KEYCLOAK_CLIENT_ID="console",
    )
    assert settings.oidc_issuer == "https://login.example.com/realms/billing"


def test_the_database_may_be_given_in_parts(tmp_path: Path):
    parts = {"DB_HOST": "db.example.com", "DB_USERNAME": "a@b", "DB_PASSWORD": "p/:w"}
    address = settings_with(tmp_path, **parts).database_url
    assert address is not None
    assert address.get_secret_value() == "postgresql://a%40b:p%2F%3Aw@db.example.com:5432/billing"
    whole = "postgresql://u:p@127.0.0.1/d"
    address = settings_with(tmp_path, DATABASE_URL=whole, **parts).database_url
    assert address is not None
    assert address.get_secret_value() == whole
    assert settings_with(tmp_path, DB_PASSWORD="p").database_url is None


def test_each_tenant_may_have_a_console_of_its_own(tmp_path: Path):
    settings = settings_with(
        tmp_path,
        BILLING_FRONTEND_URL="https://console.example.com",
        TENANT_FRONTEND_URLS=" north = https://north.example.com/ ,",
    )
    assert settings.frontend_url_of("north") == "https://north.example.com"
    assert settings.frontend_url_of("South") == "https://console.example.com"


@pytest.mark.parametrize("name", ["WEBHOOK_ALLOW_INTERNAL_HOST", "WEBHOOK_ALLOW_INSECURE_HTTP"])
def test_production_does_not_start_with_a_hole_for_webhooks(tmp_path: Path, name: str):
    production = {"BILLWRIGHT_ENVIRONMENT": "production", "ENCRYPTION_KEY": KEY}
    with pytest.raises(SettingsError, match=f"{name}: production sends webhooks"):
        settings_with(tmp_path, **production, **{name: "true"})
    assert settings_with(tmp_path, **production, **{name: "false"})
    assert settings_with(tmp_path, **{name: "true"}).webhooks_allow_private


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("TRUE", False), ("1", False)])
def test_only_the_very_word_switches_the_numbers_on(tmp_path: Path, text: str, expected: bool):
    assert settings_with(tmp_path, OTEL_ENABLED=text).otel_enabled == expected
