"""A whole installation as an operator runs it: the command, its processes and its home."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).with_name("billwright"))
_CHILD = "billwright.entrypoints.child"
_LAST_LINE = "Ctrl-C stops it."
# What is waited for comes within seconds; a machine that does other things at once may need minutes.
_START_SECONDS = 180
_END_SECONDS = 180


def free_port() -> int:
    """A port that nobody else is given as long as this process lives.

    It stays bound: a server that sets SO_REUSEADDR too may still listen on it, since nobody else
    does, but the kernel gives it neither to other servers nor to outgoing connections.
    """
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("127.0.0.1", 0))
    port: int = reservation.getsockname()[1]
    reservation.detach()  # left open on purpose
    return port


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing of this machine's settings, so that a test runs the same everywhere."""
    return {"PATH": os.environ["PATH"], "BILLWRIGHT_HOME": str(home), "COLUMNS": "200", **variables}


def billwright(
    *arguments: str, home: Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(home, **variables),
        cwd=cwd or home.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=_END_SECONDS,
    )


@dataclass(slots=True)
class Running:
    """`billwright up`, in a process group of its own as in a terminal."""

    process: subprocess.Popen[str]
    home: Path
    port: int
    introduction: str

    def children(self) -> dict[str, int]:
        """The numbers of its child processes by role."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
                arguments = entry.joinpath("cmdline").read_text().split("\0")
            except (OSError, IndexError):  # no process, or it has ended meanwhile
                continue
            if parent == self.process.pid and _CHILD in arguments:
                found[arguments[arguments.index(_CHILD) + 1]] = int(entry.name)
        return found

    def send_to_group(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def ended(self) -> tuple[int, str]:
        """Exit code and what it said on standard error, once it has ended."""
        code = self.process.wait(timeout=_END_SECONDS)
        return code, (self.home.parent / "errors").read_text()

    def ask(self, path: str, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    @property
    def key(self) -> str:
        return (self.home / "demo.key").read_text().strip()


@contextmanager
def running(home: Path, *, port: int | None = None, **variables: str) -> Iterator[Running]:
    """`billwright up` once it is ready; what is left of it at the end is killed."""
    port = port or free_port()
    with (home.parent / "errors").open("w") as errors:
        process = subprocess.Popen(
            [COMMAND, "up"],
            env=environment(home, PORT=str(port), **variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    too_late = threading.Timer(_START_SECONDS, process.kill)
    too_late.start()
    try:
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if lines[-1] == _LAST_LINE:
                break
        too_late.cancel()
        assert _LAST_LINE in lines[-1:], (home.parent / "errors").read_text()
        yield Running(process, home, port, "\n".join(lines))
    finally:
        too_late.cancel()
        too_late.join()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert eventually(lambda: servers_of(home) == [])


@contextmanager
def process(
    role: str, home: Path, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """One process of a larger installation, and the file of its log."""
    log = home.parent / f"{role}.log"
    with log.open("w") as errors:
        started = subprocess.Popen(
            [COMMAND, role], env=environment(home, **variables), stderr=errors, text=True
        )
    try:
        yield started, log
    finally:
        started.kill()
        started.wait()


def eventually(question: Any, *, seconds: float = 60) -> bool:
    """Whether the answer becomes yes within the time."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def servers_of(home: Path) -> list[int]:
    """Database processes that work in the home's data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and entry.joinpath("cwd").readlink().is_relative_to(home):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
