"""Which benchmarks are run?

python -m benchmarks [--subscriptions N] [--only NAME]
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
from rich.console import Console

from benchmarks.answers import Rounds, entitlement_answers
from benchmarks.billing_run import billing_run
from benchmarks.billing_tenants import billing_of_tenants
from benchmarks.database import durable_server, temporary_home
from benchmarks.invoice_pdf import invoice_pdf
from benchmarks.results import Row, as_table, write
from benchmarks.sign_in import sign_ins
from benchmarks.start import start
from benchmarks.usage import recorded_usage

LATEST = Path(__file__).with_name("latest.json")


def answers(subscriptions: int) -> list[Row]:
    """What is answered over HTTP, beside the raw server."""
    rounds = Rounds(count=3, warm_seconds=1, seconds=3)
    with durable_server() as server, temporary_home() as home:
        return entitlement_answers(server, home=home, subscriptions=subscriptions, rounds=rounds)


def billing(subscriptions: int) -> list[Row]:
    """The billing run, beside one SQL statement."""
    with durable_server() as server:
        return billing_run(server, subscriptions=subscriptions)


def billing_tenants(subscriptions: int) -> list[Row]:
    """The billing run over many tenants, beside one SQL statement."""
    with durable_server() as server:
        return billing_of_tenants(server, subscriptions=subscriptions)


def usage(_subscriptions: int) -> list[Row]:
    """Usage over HTTP, beside a raw insert that recognizes repetitions."""
    rounds = Rounds(count=3, warm_seconds=1, seconds=3)
    with durable_server() as server, temporary_home() as home:
        return recorded_usage(server, home=home, rounds=rounds)


def documents(_subscriptions: int) -> list[Row]:
    """Invoices as PDF, beside Typst."""
    return [invoice_pdf(warm_seconds=2, seconds=5)]


def signing_in(_subscriptions: int) -> list[Row]:
    """People who sign in, beside hashes alone, and who waits for them."""
    with durable_server() as server, temporary_home() as home:
        return sign_ins(server, home=home, seconds=6)


def starts(_subscriptions: int) -> list[Row]:
    """`billwright up`, beside its database."""
    return start(times=3)


BENCHMARKS: Mapping[str, Callable[[int], Sequence[Row]]] = {
    "entitlements": answers,
    "billing-run": billing,
    "billing-tenants": billing_tenants,
    "usage": usage,
    "invoice-pdf": documents,
    "sign-in": signing_in,
    "start": starts,
}


def main() -> None:
    """Measure, print the table and keep it in `latest.json`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--subscriptions", type=_positive, default=10_000, metavar="N")
    parser.add_argument("--only", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    arguments = parser.parse_args()
    # Ending in order stops the servers, which are processes of their own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # The product's log lines would come between the table's.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    rows: list[Row] = []
    for name in [arguments.only] if arguments.only else BENCHMARKS:
        rows += BENCHMARKS[name](arguments.subscriptions)
    Console().print(as_table(rows))
    write(rows, LATEST)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one")
    return number


if __name__ == "__main__":
    main()
