"""What is there to set, as an operator reads it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billwright.runtime.settings import Settings, fields_by_name
from billwright.runtime.settings_file import SETTINGS_FILE_VARIABLE
from billwright.runtime.settings_names import ALTERNATES


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting: its variable, the variables that may stand for it, and what it means."""

    name: str
    group: str
    alternates: tuple[str, ...]
    default: str
    example: str
    meaning: str
    is_secret: bool


def settings_table() -> list[SettingRow]:
    """Every setting, group by group."""
    groups = dict(_groups())
    rows = [
        SettingRow(
            name=key.upper(),
            group=groups[key],
            alternates=tuple(name for name, setting in ALTERNATES.items() if setting == key),
            default=_default_text(field.default, told=field.json_schema_extra),
            example=str((field.examples or [""])[0]),
            meaning=field.description or "",
            is_secret="SecretStr" in repr(field),
        )
        for key, field in fields_by_name().items()
    ]
    place_of_the_file = SettingRow(
        name=SETTINGS_FILE_VARIABLE,
        group=rows[0].group,
        alternates=(),
        default="billwright.toml in the home, where there is one",
        example="/etc/billwright.toml",
        meaning="the settings file; what is named has to be there",
        is_secret=False,
    )
    return [*rows[:2], place_of_the_file, *rows[2:]]


def _groups() -> Iterator[tuple[str, str]]:
    """Every setting with the group of the class that declares it."""
    for declaring in reversed(Settings.__mro__):
        for attribute in getattr(declaring, "__annotations__", ()):
            if attribute in Settings.model_fields:
                group: str = vars(declaring)["group"]
                yield Settings.model_fields[attribute].alias or attribute, group


def _default_text(default: object, *, told: object) -> str:
    if isinstance(told, dict):
        return str(told["default"])
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)
