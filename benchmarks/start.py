"""How long does `billwright up` take to be ready?"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep

from benchmarks.database import temporary_home
from benchmarks.results import Row, duration
from benchmarks.serving import BILLWRIGHT, START_SECONDS, end, free_port
from billwright.runtime.db.embedded import EmbeddedPostgres


def start(*, times: int) -> list[Row]:
    """The middle one of so many starts each: from the command to the first healthy answer."""
    fresh, existing = _measured(_seconds_until_healthy, times=times)
    fresh_ceiling, existing_ceiling = _measured(_seconds_until_database_runs, times=times)
    return [
        duration(
            "start, existing database",
            existing,
            unit="s",
            ceiling=existing_ceiling,
            ceiling_name="the embedded PostgreSQL alone",
        ),
        duration(
            "start, fresh home",
            fresh,
            unit="s",
            ceiling=fresh_ceiling,
            ceiling_name="the embedded PostgreSQL alone, with initdb",
        ),
    ]


def _measured(seconds_on: Callable[[Path], float], *, times: int) -> tuple[float, float]:
    """The middle first start on a fresh home, and the middle second start on the same one."""
    fresh, existing = [], []
    for _ in range(times):
        with temporary_home() as home:
            fresh.append(seconds_on(home))
            existing.append(seconds_on(home))
    return median(fresh), median(existing)


def _seconds_until_database_runs(home: Path) -> float:
    server = EmbeddedPostgres(home)
    started = perf_counter()
    try:
        server.start()
        return perf_counter() - started
    finally:
        server.stop()


def _seconds_until_healthy(home: Path) -> float:
    port = free_port()
    environment = {"PATH": os.defpath, "BILLWRIGHT_HOME": str(home), "PORT": str(port)}
    with tempfile.TemporaryFile() as log:
        started = perf_counter()
        process = subprocess.Popen(
            [BILLWRIGHT, "up"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_healthy(process, port=port)
            return perf_counter() - started
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            end(process)


def _wait_until_healthy(process: subprocess.Popen[bytes], *, port: int) -> None:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"billwright up ended with {process.returncode}")
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
            try:
                connection.request("GET", "/api/health")
                if connection.getresponse().status == http.client.OK:
                    return
            finally:
                connection.close()
        sleep(0.01)
    raise TimeoutError(f"not healthy after {START_SECONDS} seconds")
