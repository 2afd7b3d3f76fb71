"""As which account of the machine does the embedded server run, and what can that account reach?

PostgreSQL refuses to run as root. Under root it therefore runs as an existing unprivileged account;
no account is created, and no permission of a folder that existed before is changed.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PREFERRED_NAMES = ("postgres", "nobody")
_FIRST_CLOSED_FOLDER = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit 1; }; done'


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run; the text tells the operator why and what to do."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account that owns the data and runs the server; `switch` when it is not our own."""

    uid: int
    gid: int
    switch: bool

    def process_options(self) -> dict[str, Any]:
        """Arguments of `subprocess` that start a program as this account, off our terminal."""
        options: dict[str, Any] = {
            "cwd": "/",  # ours may be closed to the account, and a server must not pin it
            "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            "start_new_session": True,
        }
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def own(self, path: Path) -> None:
        """Hand over something that we have just created."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def account_for(data: Path) -> ServerAccount:
    """The owner of existing data, ourselves, or under root the first existing unprivileged account.

    Refuses data of somebody else, and of root.
    """
    own_uid = os.geteuid()
    owner = data.stat() if data.exists() else None
    if own_uid != 0:
        if owner is not None and owner.st_uid != own_uid:
            raise EmbeddedPostgresError(
                f"The database in {data} belongs to {_name_of(owner.st_uid)}, but Billwright runs "
                f"as {_name_of(own_uid)}. Run it as before, or change BILLWRIGHT_HOME."
            )
        return ServerAccount(own_uid, os.getegid(), switch=False)
    if owner is not None:
        if owner.st_uid == 0:
            raise EmbeddedPostgresError(
                f"The database in {data} belongs to root, as whom PostgreSQL refuses to run. "
                "Give the folder to an unprivileged account."
            )
        return ServerAccount(owner.st_uid, owner.st_gid, switch=True)
    for name in _PREFERRED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(entry.pw_uid, entry.pw_gid, switch=True)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and this machine has neither an account postgres nor "
        "nobody. Run Billwright as an ordinary user, or set DATABASE_URL."
    )


def can_run(account: ServerAccount, command: Sequence[str | Path]) -> bool:
    """Whether the account can execute the program, its libraries included."""
    try:
        finished = subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=30, check=False, **account.process_options()
        )
    except OSError:
        return False
    return finished.returncode == 0


def closed_folder(account: ServerAccount, path: Path) -> Path | None:
    """The first folder on the way to `path`, itself included, that the account cannot enter."""
    folders = [*reversed(path.resolve().parents), path.resolve()]
    finished = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", _FIRST_CLOSED_FOLDER, "sh", *folders],
        capture_output=True,
        check=False,
        **account.process_options(),
    )
    return Path(os.fsdecode(finished.stdout)) if finished.stdout else None


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def refuse_closed_folder(account: ServerAccount, path: Path, *, remedy: str) -> None:
    """Refuse when the account cannot enter `path`; `remedy` says which setting to change."""
    closed = closed_folder(account, path)
    if closed is not None:
        raise EmbeddedPostgresError(
            f"The database server runs as {_name_of(account.uid)}, who cannot enter {closed} "
            f"on the way to {path}. {remedy}"
        )
