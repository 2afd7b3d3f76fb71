"""How does the server process live, and end with its parent?

The server runs in a session of its own: Ctrl-C in the terminal reaches the parent alone, which
stops it in order. A guard, one waiting shell, holds the reading end of a pipe whose only writing
end is the parent's: when the parent dies in any way, the pipe closes and the guard asks the server
to shut down. The kernel's parent-death signal was rejected: it fires when the thread that started
the server ends, not the process, and it needs code between fork and exec.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from billwright.runtime.db.embedded_account import EmbeddedPostgresError, ServerAccount

_POLL_SECONDS = 0.01
# Fast, immediate, then by force; crash recovery makes even the last one safe for the data.
_SHUTDOWN_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_GUARD = (
    'read -r _; { read -r pid < "$1"; } 2>/dev/null && [ "$pid" = "$2" ] && kill -INT "$2"; exit 0'
)


class ServerProcess:
    """A postmaster that we started, with its guard."""

    def __init__(
        self, command: Sequence[str | Path], *, data: Path, account: ServerAccount, log: IO[bytes]
    ) -> None:
        self._pid_file = data / "postmaster.pid"
        self._server = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **account.process_options(),
        )
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _GUARD, "sh", self._pid_file, str(self._server.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account.process_options(),
        )

    @property
    def pid(self) -> int:
        return self._server.pid

    def wait_until_ready(self, *, seconds: float) -> bool:
        """Whether the server accepts connections within the time; false at once when it ended.

        Reads the state that the postmaster keeps in its pid file, as `pg_ctl` does.
        """

        def settled() -> bool:
            return self._server.poll() is not None or self._reports_ready()

        return _wait_for(settled, seconds=seconds) and self._server.poll() is None

    def stop(self) -> None:
        """Stop the server, in order if it can; returns when it is gone."""
        for number, seconds in _SHUTDOWN_STEPS:
            if self._server.poll() is not None:
                break
            self._server.send_signal(number)
            _wait_for(lambda: self._server.poll() is not None, seconds=seconds)
        self._server.wait()
        self._guard.communicate()  # closes the pipe: the guard finds the server gone and ends

    def _reports_ready(self) -> bool:
        try:
            lines = self._pid_file.read_text().splitlines()
        except OSError:
            return False
        # The file of a crashed predecessor is rewritten by the new postmaster under its own pid.
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def end_leftovers(data: Path) -> None:
    """End every server process that a killed parent left on this data folder.

    A process belongs to the folder when it works there, which only the server does; the number in
    the pid file alone proves nothing, since numbers are reused, above all in a fresh container. To
    be called while holding the instance lock.
    """
    pid_file = data / "postmaster.pid"
    postmaster = _number_in(pid_file)
    for number, seconds in _SHUTDOWN_STEPS:
        remaining = _processes_in(data)
        if not remaining:
            break
        # The postmaster shuts its children down; without it, they are asked themselves.
        addressed = [postmaster] if postmaster in remaining else remaining
        for pid in addressed:
            _send(number, to=pid)
        _wait_for(lambda: not _processes_in(data), seconds=seconds)
    if _processes_in(data):
        raise EmbeddedPostgresError(
            f"An earlier database server still runs on {data} and cannot be ended "
            f"(processes {', '.join(map(str, _processes_in(data)))}). End it and start again."
        )
    # A number reused by an unrelated process would make the new server refuse to start.
    pid_file.unlink(missing_ok=True)


def _processes_in(folder: Path) -> list[int]:
    folder = folder.resolve()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if entry.joinpath("cwd").readlink() == folder and _is_server(entry):
                    found.append(int(entry.name))
            except OSError:  # it ended meanwhile, or is not ours to look at
                continue
    return found


def _is_server(process: Path) -> bool:
    # Not a shell in which somebody looks around in the data folder.
    return process.joinpath("comm").read_text().strip() == "postgres"


def _number_in(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _send(number: signal.Signals, *, to: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(to, number)


def _wait_for(reached: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
