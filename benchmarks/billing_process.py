"""What does a process of its own need to bill every tenant, as `billwright bill` does?

python -m benchmarks.billing_process DSN: says `ready`, then bills for every line that it reads, which is
an instant and how many tenants (the first ones), and answers each with a line, `Billed` as JSON.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import IO

import msgspec
import structlog
import uvloop

import billwright.features
from benchmarks.serving import ROOT, end
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.garbage import collect_rarely
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.surfaces.cli.bill import CONNECTIONS, bill_tenants

_READY = "ready"
_STATUS = Path("/proc/self/status")


class Billed(msgspec.Struct, frozen=True):
    """What a process did, and the most memory that it has had so far."""

    documents: int
    seconds: float
    peak_bytes: int


class BillingProcess:
    """A running process that bills when it is asked to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._expect(_READY)

    def begin(self, at: datetime, *, tenants: int) -> None:
        """Let it bill what is due at an instant."""
        print(at.isoformat(), tenants, file=_open(self._process.stdin), flush=True)

    def result(self) -> Billed:
        """What came of it, once it has ended."""
        return msgspec.json.decode(_open(self._process.stdout).readline(), type=Billed)

    def bill(self, at: datetime, *, tenants: int) -> Billed:
        """Let it bill what is due at an instant, and wait."""
        self.begin(at, tenants=tenants)
        return self.result()

    def _expect(self, word: str) -> None:
        said = _open(self._process.stdout).readline().strip()
        if said != word:
            raise RuntimeError(f"a process that bills said {said!r} instead of {word!r}")


@contextmanager
def billing_process(dsn: str) -> Iterator[BillingProcess]:
    """A process on a migrated database until the block ends."""
    command = [sys.executable, "-m", "benchmarks.billing_process", dsn]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield BillingProcess(process)
        finally:
            end(process)


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # both are pipes
    return stream


async def _serve(dsn: str) -> None:
    clock = FixedClock(datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(dsn, outbox=outbox, size=CONNECTIONS, clock=clock)
    try:
        all_tenants = await database.all_tenants()
        collect_rarely()
        print(_READY, flush=True)
        for line in sys.stdin:
            at, tenants = line.split()
            clock.move_to(datetime.fromisoformat(at))
            started = perf_counter()
            reports = await bill_tenants(
                database,
                all_tenants[: int(tenants)],
                as_of=clock.now(),
                rehearse=False,
                on_batch=lambda _reports: None,
            )
            seconds = perf_counter() - started
            documents = sum(sum(report.documents.values()) for report in reports.values())
            print(msgspec.json.encode(Billed(documents, seconds, _peak_bytes())).decode())
            sys.stdout.flush()
    finally:
        await database.close()


def _peak_bytes() -> int:
    """The most memory that was resident: of this program, where the system tells it apart from the one
    that started it.
    """
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


if __name__ == "__main__":
    # The product's log lines would come between the answers.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    uvloop.run(_serve(sys.argv[1]))
