"""Where are the data kept?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import Field, SecretStr

from billwright.runtime.settings_sign_in import SignInSettings
from billwright.runtime.settings_values import Folder, database_address, secretly


def _address_of_parts(data: dict[str, Any]) -> SecretStr | None:
    host: str | None = data.get("db_host")
    if host is None:
        return None
    password = data["db_password"].get_secret_value()
    login = f"{quote(data['db_username'], safe='')}:{quote(password, safe='')}"
    place = f"[{host}]" if ":" in host else host
    database = quote(data["db_database"], safe="")
    return SecretStr(f"postgresql://{login}@{place}:{data['db_port']}/{database}")


class DatabaseSettings(SignInSettings):
    """The PostgreSQL, given as an address or in parts."""

    group: ClassVar[str] = "Database"

    db_host: str | None = Field(
        None,
        description="host of a PostgreSQL that is given in parts instead of by DATABASE_URL",
        examples=["127.0.0.1"],
    )
    db_port: int = Field(
        5432, ge=1, le=65535, description="its port, where DB_HOST is set", examples=[5432]
    )
    db_username: str = Field(
        "postgres", description="user name at it, where DB_HOST is set", examples=["billwright"]
    )
    db_password: SecretStr = Field(
        SecretStr("postgres"),
        description="password at it, where DB_HOST is set",
        examples=["the password that belongs to DB_USERNAME"],
        json_schema_extra={"default": "postgres"},
    )
    db_database: str = Field(
        "billing", description="name of the database, where DB_HOST is set", examples=["billing"]
    )
    database_url: Annotated[SecretStr, secretly(database_address)] | None = Field(
        default_factory=_address_of_parts,
        description="PostgreSQL 15 to 18 to use instead of the embedded one",
        examples=["postgresql://billwright:password@127.0.0.1:5432/billwright"],
        json_schema_extra={"default": "what DB_HOST and its like say, else the embedded one"},
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
