"""How long does a small question wait while many people sign in?

    python -m benchmarks.sign_in_load < task.json

A process of its own: each client signs in again as soon as it is answered, as another user from another
address, and one more client asks for the health of the server at a steady pace.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep

_EVERY_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class SignInTask:
    """Users are `user<number>@example.com`, numbered from 0; nobody signs in without clients."""

    port: int
    users: int
    password: str
    clients: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Sign-ins per second, and how long the questions took that were asked meanwhile."""

    per_second: float
    health_p99_milliseconds: float


def measure_sign_ins(task: SignInTask) -> SignedIn:
    """Run the task in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sign_in_load"],
        cwd=Path(__file__).parent.parent,
        input=json.dumps(asdict(task)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=task.seconds + 60,
    )
    return SignedIn(**json.loads(done.stdout))


def _run(task: SignInTask) -> SignedIn:
    numbers, over, signed_in = count(), Event(), [0] * task.clients

    def sign_in(client: int) -> None:
        connection = HTTPConnection("127.0.0.1", task.port, timeout=30)
        while not over.is_set():
            number = next(numbers)
            body = {"email": f"user{number % task.users}@example.com", "password": task.password}
            connection.request(
                "POST",
                "/api/auth/login",
                json.dumps(body),
                {
                    "Content-Type": "application/json",
                    # As a proxy of this machine tells it: who signs in so often is refused.
                    "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                },
            )
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {text[:200]!r}")
            signed_in[client] += 1
        connection.close()

    threads = [Thread(target=sign_in, args=(client,)) for client in range(task.clients)]
    for thread in threads:
        thread.start()
    started = perf_counter()
    durations = _durations_of_health(task, until=started + task.seconds)
    elapsed = perf_counter() - started
    over.set()
    for thread in threads:
        thread.join()
    durations.sort()
    return SignedIn(sum(signed_in) / elapsed, 1000 * durations[len(durations) * 99 // 100])


def _durations_of_health(task: SignInTask, *, until: float) -> list[float]:
    connection, durations = HTTPConnection("127.0.0.1", task.port, timeout=30), []
    while perf_counter() < until:
        sent_at = perf_counter()
        connection.request("GET", "/api/health")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"health answered {answer.status}")
        durations.append(perf_counter() - sent_at)
        sleep(_EVERY_SECONDS)
    connection.close()
    return durations


if __name__ == "__main__":
    json.dump(asdict(_run(SignInTask(**json.load(sys.stdin)))), sys.stdout)
