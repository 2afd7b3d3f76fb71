"""Where does the settings file lie, and what does it say?"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

SETTINGS_FILE_VARIABLE = "BILLWRIGHT_SETTINGS"
SETTINGS_FILE_NAME = "billwright.toml"


def expanded(path: Path) -> Path:
    """The path with `~` resolved and a beginning at the root."""
    return path.expanduser().absolute()


def default_home(variables: Mapping[str, str]) -> Path:
    """The home of an installation that names none."""
    if os.geteuid() == 0:
        return Path("/var/lib/billwright")
    data_home = Path(variables.get("XDG_DATA_HOME", ""))
    if not data_home.is_absolute():  # the XDG specification has a relative one ignored
        data_home = Path(variables.get("HOME") or Path.home()) / ".local" / "share"
    return data_home / "billwright"


def read_settings_file(
    variables: Mapping[str, str], *, home: Path
) -> tuple[Path, dict[str, object], list[str]]:
    """Where the file is, what it sets, and what is wrong with it; a missing one sets nothing, unless
    it is named.
    """
    named = variables.get(SETTINGS_FILE_VARIABLE)
    path = expanded(Path(named)) if named else home / SETTINGS_FILE_NAME
    if not named and not path.is_file():
        return path, {}, []
    example = f"for example {home / SETTINGS_FILE_NAME}"
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8")), []
    except OSError as error:
        problem = f"{SETTINGS_FILE_VARIABLE}: {path} cannot be read ({error.strerror}); {example}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # Only the place: the parser's own words may quote the line, and with it a secret.
        place = re.search(r"\(at [^()]+\)", str(error))
        where = f" {place.group()}" if place else ""
        problem = f"{path} is no valid TOML{where}; a line looks like: port = 3200"
    return path, {}, [problem]
