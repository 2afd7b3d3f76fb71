"""Is another instance using this home folder?"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from billwright.runtime.db.embedded_account import EmbeddedPostgresError

LOCK_NAME = "instance.lock"


class InstanceRunning(EmbeddedPostgresError):  # noqa: N818 - an answer to the operator
    """Another instance holds the home folder."""

    def __init__(self, home: Path, holder: str) -> None:
        super().__init__(
            f"Billwright is already running on {home} (process {holder or 'unknown'}). "
            "Stop that instance, or set BILLWRIGHT_HOME to another folder."
        )


class InstanceLock:
    """An exclusive hold on a home folder, ended by the kernel when the process dies in any way.

    The descriptor is closed on exec, so that no program started by the holder inherits the hold.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock at once or raise `InstanceRunning`; the folder must exist."""
        path = self._home / LOCK_NAME
        # Never deleted: a lock on a file that has lost its name would protect nothing.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise InstanceRunning(self._home, holder) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
