"""How many requests does a server answer when its clients never pause?

    python -m benchmarks.load < task.json

A process of its own. A fixed number of keep-alive connections each send the next request when the
last one is answered. Plain sockets and the least parsing that HTTP/1.1 with a content length allows:
what the generator uses of the machine, the server lacks.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle
from os import getpid
from pathlib import Path
from time import perf_counter, process_time

CONNECTIONS = 32
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Task:
    """What to ask: the paths in turn, first unmeasured to warm up, then measured.

    With a `body`, it is posted; each `@` in it becomes a number that no other request has, so that every
    request tells something new, and each `#` one of the `names` in turn, which are all of one length.
    """

    port: int
    paths: Sequence[str]
    warm_seconds: float
    seconds: float
    headers: Sequence[str] = ()
    connections: int = CONNECTIONS
    body: str = ""
    names: Sequence[str] = ("#",)


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers per second, how long they took (at full load), and what the generator used of a core."""

    per_second: float
    median_milliseconds: float
    p99_milliseconds: float
    generator_share: float


class UnexpectedAnswerError(Exception):
    """The server did not say 200 with a content length."""


def measure(task: Task) -> Measured:
    """Run the task in a process of its own."""
    limit = task.warm_seconds + task.seconds + 30
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=Path(__file__).parent.parent,
        input=json.dumps(asdict(task)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=limit,
    )
    return Measured(**json.loads(done.stdout))


class _Connection:
    __slots__ = ("answer", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)
        self.answer = b""
        self.sent_at = 0.0


class _Generator:
    def __init__(self, task: Task) -> None:
        self._requests = _posts(task) if task.body else _gets(task)
        self._selector = selectors.DefaultSelector()
        for _ in range(task.connections):
            connection = _Connection(task.port)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            self._send(connection)

    def run(self, seconds: float) -> list[float]:
        """How long each answer took that came within the time."""
        durations: list[float] = []
        until = perf_counter() + seconds
        while perf_counter() < until:
            for key, _ in self._selector.select(timeout=1):
                self._receive(key.data, durations)
        return durations

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()

    def _send(self, connection: _Connection) -> None:
        connection.sent_at = perf_counter()
        request = next(self._requests)
        sent = connection.socket.send(request)
        if sent < len(request):  # more than the kernel takes at once
            connection.socket.settimeout(10)
            connection.socket.sendall(memoryview(request)[sent:])
            connection.socket.settimeout(0)

    def _receive(self, connection: _Connection, durations: list[float]) -> None:
        part = connection.socket.recv(_MOST_BYTES)
        if not part:
            raise UnexpectedAnswerError("the server closed a connection")
        answer = connection.answer + part
        if not is_complete(answer):
            connection.answer = answer
            return
        connection.answer = b""
        durations.append(perf_counter() - connection.sent_at)
        self._send(connection)


def _gets(task: Task) -> Iterator[bytes]:
    return cycle(
        [
            "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *task.headers, "", ""]).encode()
            for path in task.paths
        ]
    )


def _posts(task: Task) -> Iterator[bytes]:
    # Always the same number of digits, so that the length is known once; the process is one of many.
    first = getpid() % 10**6 * 10**9
    length = len(task.body.replace("@", f"{first:015}").replace("#", task.names[0]).encode())
    lines = [f"POST {task.paths[0]} HTTP/1.1", "Host: 127.0.0.1", *task.headers]
    lines += ["Content-Type: application/json", f"Content-Length: {length}", "", ""]
    head = "\r\n".join(lines).encode()
    bodies = cycle([task.body.replace("#", name).encode() for name in task.names])
    return (
        head + body.replace(b"@", f"{number:015}".encode())
        for number, body in zip(count(first), bodies, strict=False)
    )


def is_complete(answer: bytes) -> bool:
    """Whether this is one whole answer. Raises `UnexpectedAnswerError` unless it says 200."""
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    at = answer.find(b"\r\ncontent-length: ", 0, head_end)
    if at < 0 or not answer.startswith(b"HTTP/1.1 200 "):
        raise UnexpectedAnswerError(answer[:300].decode(errors="replace"))
    length = int(answer[at + 18 : answer.find(b"\r", at + 18)])
    return len(answer) == head_end + 4 + length


def _run(task: Task) -> Measured:
    generator = _Generator(task)
    try:
        generator.run(task.warm_seconds)
        used, started = process_time(), perf_counter()
        durations = generator.run(task.seconds)
        elapsed, used = perf_counter() - started, process_time() - used
    finally:
        generator.close()
    if not durations:
        raise UnexpectedAnswerError("nothing was answered in time")
    durations.sort()
    return Measured(
        per_second=len(durations) / elapsed,
        median_milliseconds=1000 * durations[len(durations) // 2],
        p99_milliseconds=1000 * durations[len(durations) * 99 // 100],
        generator_share=used / elapsed,
    )


if __name__ == "__main__":
    json.dump(asdict(_run(Task(**json.load(sys.stdin)))), sys.stdout)
