"""How does a benchmark start a server process, and end it whatever happens?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).parent.parent
BILLWRIGHT = Path(sys.executable).with_name("billwright")
START_SECONDS = 30.0
END_SECONDS = 30.0
_LOG_TAIL_BYTES = 4000


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str | Path], *, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The command until the block ends, which begins when something listens on `port`."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_listening(process, port=port)
            yield process
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read()[-_LOG_TAIL_BYTES:].decode(errors="replace"))
            raise
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and make it end when it does not."""
    process.terminate()
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def api_server(dsn: str, *, home: Path) -> Iterator[int]:
    """One API process of the product on a migrated database; its port."""
    port = free_port()
    environment = {
        "PATH": os.defpath,
        "BILLWRIGHT_HOME": str(home),
        "DATABASE_URL": dsn,
        "PORT": str(port),
    }
    with running([BILLWRIGHT, "api"], port=port, environment=environment):
        yield port


@contextmanager
def static_server() -> Iterator[int]:
    """The raw server: `static_answer` on the server program of the product, one process; its port."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "benchmarks.static_answer:answer", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off"),
        *("--no-access-log", "--log-level", "warning"),
    ]
    with running(command, port=port):
        yield port


def wait_until_listening(process: subprocess.Popen[bytes], *, port: int) -> None:
    """Return as soon as a connection is accepted; raise when the process ends before."""
    deadline = monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}") from None
            if monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            return
