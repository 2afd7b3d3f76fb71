"""Does every benchmark measure beside its ceiling, whatever the machine's speed?"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.answers import Rounds, entitlement_answers
from benchmarks.billing_run import billing_run
from benchmarks.billing_tenants import billing_of_tenants
from benchmarks.invoice_pdf import invoice_pdf
from benchmarks.load import UnexpectedAnswerError, is_complete
from benchmarks.results import Row, as_table, duration, part, rate, write
from benchmarks.start import start
from benchmarks.usage import recorded_usage
from tests.postgres import ServerInfo, reachable_folder


@pytest.fixture
def server(postgres_server: ServerInfo) -> Iterator[ServerInfo]:
    """The process's own server, without the databases that benchmarks leave on it."""
    yield postgres_server
    for name in (
        *("billing_1", "billing_ceiling_1", "billing_2", "billing_ceiling_2"),
        *("billing_tenants", "billing_tenants_ceiling"),
        *("entitlements", "usage"),
    ):
        postgres_server.drop_database(name)


def is_measured(rows: Sequence[Row]) -> bool:
    return all(row.value > 0 and row.ceiling > 0 and row.ratio > 0 for row in rows)


def test_a_billing_run_is_measured_beside_one_statement(server: ServerInfo) -> None:
    rows = billing_run(server.server, subscriptions=20)

    assert [(row.name, row.unit) for row in rows] == [
        ("billing run", "invoices/s"),
        ("billing run, plan with a limit", "invoices/s"),
    ]
    assert is_measured(rows)


def test_a_billing_run_over_many_tenants_is_measured_beside_one_statement(
    server: ServerInfo,
) -> None:
    rows = billing_of_tenants(server.server, subscriptions=60)

    assert [(row.name, row.unit) for row in rows] == [
        ("billing run, 50 tenants", "invoices/s"),
        ("billing run, 50 tenants, two processes", "invoices/s"),
        ("billing run, 50 tenants, run again", "s"),
        ("billing run, 50 tenants, peak memory", "MB"),
    ]
    assert is_measured(rows)


def test_answers_about_access_are_measured_beside_the_raw_server(server: ServerInfo) -> None:
    moment = Rounds(count=1, warm_seconds=0.1, seconds=0.2)

    with reachable_folder() as home:
        rows = entitlement_answers(server.server, home=home, subscriptions=20, rounds=moment)

    assert [(row.name, row.unit) for row in rows] == [
        ("static answer", "requests/s"),
        ("entitlement read", "requests/s"),
        ("entitlement read, p99 at full load", "ms"),
        ("entitlement check", "requests/s"),
        ("entitlement check, p99 at full load", "ms"),
    ]
    assert is_measured(rows)


def test_usage_is_measured_beside_a_raw_insert(server: ServerInfo) -> None:
    moment = Rounds(count=1, warm_seconds=0.1, seconds=0.3)

    with reachable_folder() as home:
        rows = recorded_usage(server.server, home=home, rounds=moment)

    assert [(row.name, row.unit) for row in rows] == [
        ("usage batch", "events/s"),
        ("usage single", "events/s"),
    ]
    assert is_measured(rows)


def test_invoices_are_printed_beside_one_word() -> None:
    row = invoice_pdf(warm_seconds=0.01, seconds=0.1)

    assert (row.name, row.unit) == ("invoice pdf", "documents/s")
    assert is_measured([row])


def test_a_start_is_measured_beside_its_database() -> None:
    rows = start(times=1)

    assert [(row.name, row.unit) for row in rows] == [
        ("start, existing database", "s"),
        ("start, fresh home", "s"),
    ]
    assert is_measured(rows)


def test_a_ratio_is_the_part_of_the_ceiling_that_is_reached() -> None:
    assert rate("a", 50, unit="/s", ceiling=200, ceiling_name="b").ratio == 0.25
    assert duration("a", 200, unit="ms", ceiling=50, ceiling_name="b").ratio == 0.25
    assert part("a", 50, unit="ms", whole=200, whole_name="b").ratio == 0.25


def test_rows_are_shown_and_kept(tmp_path: Path) -> None:
    rows = [rate("reads", 1234.5, unit="requests/s", ceiling=4938, ceiling_name="raw")]
    shown = io.StringIO()

    Console(file=shown, width=120).print(as_table(rows))
    write(rows, tmp_path / "latest.json")

    assert all(text in shown.getvalue() for text in ("reads", "1,234", "4,938", "0.25", "raw"))
    assert json.loads((tmp_path / "latest.json").read_text()) == [
        {
            "name": "reads",
            "value": 1234.5,
            "unit": "requests/s",
            "ceiling": 4938,
            "ceiling_name": "raw",
            "ratio": 0.25,
        }
    ]


def test_an_answer_is_complete_when_its_content_length_has_come() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"

    assert not is_complete(head[:-2])
    assert not is_complete(head + b"{")
    assert is_complete(head + b"{}")


def test_another_answer_than_200_ends_the_measurement() -> None:
    with pytest.raises(UnexpectedAnswerError, match="401"):
        is_complete(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
