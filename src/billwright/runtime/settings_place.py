"""Where and for whom does an installation run?"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from billwright.runtime.settings_values import Folder, lower_case


class PlaceSettings(BaseModel):
    """What other settings have their defaults from."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    group: ClassVar[str] = "This installation"

    environment: Annotated[Literal["development", "production"], BeforeValidator(lower_case)] = (
        Field(
            "development",
            alias="billwright_environment",
            description="production demands an encryption key and writes logs as JSON",
            examples=["production"],
        )
    )
    billwright_home: Folder = Field(
        description="folder of everything kept on this machine: embedded database, key, mail",
        examples=["/var/lib/billwright"],
        json_schema_extra={"default": "/var/lib/billwright for root, else the user's data folder"},
    )
