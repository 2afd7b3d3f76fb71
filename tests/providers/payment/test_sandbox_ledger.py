"""Do processes that share a file of the sandbox play with the same money?"""

from __future__ import annotations

import asyncio
import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import CallbackInvalid, OutcomeUnknown
from billwright.providers.payment import discover
from billwright.providers.payment.sandbox.ledger import Ledger
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.settings import load_settings
from tests.providers.conformance.rigs import SandboxRig, money, saved, to_check_out, to_collect

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
KEY = "attempt:019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"


def a_sandbox(path: Path, *, at: datetime = AT) -> SandboxProvider:
    """What one process has."""
    return SandboxProvider(lambda: at, ledger=Ledger(path))


def paying(behavior: str, **changes):
    return to_collect(SandboxRig(), saved_method=saved(f"sandbox_{behavior}"), **changes)


def collect_in_a_process(path: Path) -> str | None:
    """The reference that another process is given for one payment under `KEY`."""
    request = paying("paid", provider_key=KEY)
    return asyncio.run(a_sandbox(path).collect(request)).provider_reference


def test_a_key_that_comes_to_many_processes_at_once_is_one_payment(tmp_path):
    path = tmp_path / "home" / "sandbox.sqlite3"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        references = pool.map(collect_in_a_process, [path] * 9, chunksize=1)
    assert len(set(references)) == 1
    assert a_sandbox(path).ledger.moved_minor == 4629
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_one_has_begun_the_other_finds_and_finishes(tmp_path):
    path = tmp_path / "sandbox.sqlite3"
    api, worker = a_sandbox(path), a_sandbox(path, at=AT + timedelta(minutes=1))
    slow = paying("slow")
    assert (await api.collect(slow)).state is AttemptState.PROCESSING
    found = await worker.find(slow.provider_key)
    assert found is not None
    assert (found.state, found.amount) == (AttemptState.SUCCEEDED, money())

    page = await api.open_checkout(to_check_out(SandboxRig()))
    worker.complete(page.reference)
    paid = await api.look_up(page.reference)
    assert paid is not None
    assert paid.state is AttemptState.SUCCEEDED


async def test_a_request_that_was_lost_in_one_process_is_paid_when_the_other_sends_it(tmp_path):
    path = tmp_path / "sandbox.sqlite3"
    lost = paying("timeout_before")
    with pytest.raises(OutcomeUnknown):
        await a_sandbox(path).collect(lost)
    assert (await a_sandbox(path).collect(lost)).state is AttemptState.SUCCEEDED


async def test_both_know_the_secret_and_nobody_else_does(tmp_path):
    one, other = a_sandbox(tmp_path / "a.sqlite3"), a_sandbox(tmp_path / "a.sqlite3")
    stranger = a_sandbox(tmp_path / "b.sqlite3")
    await one.collect(paying("paid"))
    [callback] = other.take_callbacks()
    assert one.take_callbacks() == []
    assert one.read_callback(callback.headers, callback.body, now=AT).answer is not None
    with pytest.raises(CallbackInvalid):
        stranger.read_callback(callback.headers, callback.body, now=AT)


async def test_what_fails_on_the_way_leaves_no_trace(tmp_path):
    ledger = Ledger(tmp_path / "sandbox.sqlite3")
    sandbox = SandboxProvider(lambda: AT, ledger=ledger)
    paid = await sandbox.collect(paying("paid"))

    def give_back_and_fail() -> None:
        with ledger.held() as books:
            entry = books.by_reference(paid.provider_reference or "")
            assert entry is not None
            entry.refunded_minor = 100
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_back_and_fail()
    assert ledger.moved_minor == 4629


async def test_the_books_are_read_page_by_page(tmp_path):
    sandbox = a_sandbox(tmp_path / "sandbox.sqlite3")
    requests = [paying("paid") for _ in range(205)]
    for request in requests:
        await sandbox.collect(request)
    listed = sandbox.list_payments(since=AT, until=AT + timedelta(seconds=1))
    assert [each.provider_key async for each in listed] == [each.provider_key for each in requests]


def test_two_that_are_discovered_share_the_file_of_the_home(tmp_path):
    settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path / "home")})
    one, other = discover(settings)["sandbox"], discover(settings)["sandbox"]
    assert not (tmp_path / "home").exists()  # nothing is made before it is used
    request = paying("paid")
    answer = asyncio.run(one.collect(request))
    assert asyncio.run(other.find(request.provider_key)) == answer
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["sandbox.sqlite3"]
