"""Can an operator compare a provider's books with ours, and see what differs?"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from billwright.features.payment_providers.port import PaymentProviders, ProviderUnavailable
from billwright.providers.payment.sandbox.ledger import Ledger
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry
from billwright.surfaces.cli.reconcile import Chosen, reconcile
from tests.conftest import BOX, make_tenant
from tests.features.payments.test_reconcile_provider import an_open_invoice, collected
from tests.providers.conformance.rigs import money

NOW = datetime.now(UTC)
TWO_HOURS_AGO = NOW - timedelta(hours=2)
ALL = Chosen(provider=None, since=None, until=None, tenant_code=None)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch, migrated_database: str) -> Ledger:
    home = tmp_path / "home"
    monkeypatch.setenv("BILLWRIGHT_HOME", str(home))
    monkeypatch.setenv("DATABASE_URL", migrated_database)
    return Ledger(home / "sandbox.sqlite3")


@pytest.fixture
def reference(ledger: Ledger, migrated_database: str, registry: Registry) -> str:
    """A payment of 40.08 two hours ago, which has come by now, and of which nobody told us."""

    async def prepare() -> str:
        clock = FixedClock(TWO_HOURS_AGO)
        database = await Database.connect(
            migrated_database, outbox=QueueOutbox(registry), size=2, clock=clock
        )
        try:
            tenant = await make_tenant(database, "north")
            sandbox = SandboxProvider(clock.now, ledger=ledger)
            await collected(tenant, sandbox, await an_open_invoice(tenant), 4008)
        finally:
            await database.close()
        with ledger.held() as books:
            [entry] = books.undecided()
            return entry.reference

    return asyncio.run(prepare())


@pytest.fixture
def providers(ledger: Ledger) -> PaymentProviders:
    return PaymentProviders({"sandbox": SandboxProvider(lambda: NOW, ledger=ledger)})


def reported(capsys, chosen: Chosen, providers: PaymentProviders) -> tuple[int, list[dict]]:
    code = reconcile(chosen, providers=providers, box=BOX, as_json=True)
    return code, json.loads(capsys.readouterr().out)


def test_what_came_is_booked_and_a_difference_is_the_exit_code(
    capsys, reference, ledger, providers
):
    code, [done] = reported(capsys, ALL, providers)
    assert (code, done["compared"], done["mended"], done["differences"]) == (0, 1, 1, 0)
    with ledger.held() as books:
        entry = books.by_reference(reference)
        assert entry is not None
        entry.amount = money(1)
    code, [done] = reported(capsys, ALL, providers)
    assert (code, done["mended"], done["differences"]) == (1, 0, 1)
    [finding] = done["findings"]
    assert (finding["difference"], finding["provider_reference"]) == ("amount", reference)
    assert reconcile(ALL, providers=providers, box=BOX, as_json=False) == 1
    said = capsys.readouterr().out
    assert f"sandbox: amount: there {reference}, here payment {finding['payment_id']}" in said


def test_the_time_may_be_chosen(capsys, reference, providers):
    earlier = Chosen(
        provider="sandbox",
        since=TWO_HOURS_AGO - timedelta(days=2),
        until=TWO_HOURS_AGO - timedelta(days=1),
        tenant_code="north",
    )
    code, [done] = reported(capsys, earlier, providers)
    assert (code, done["compared"]) == (0, 0)
    backwards = Chosen(provider=None, since=earlier.until, until=earlier.since, tenant_code=None)
    with pytest.raises(typer.BadParameter, match="is not before"):
        reconcile(backwards, providers=providers, box=BOX, as_json=True)
    with pytest.raises(typer.BadParameter, match="those that do: sandbox"):
        reconcile(
            Chosen(provider="manual", since=None, until=None, tenant_code=None),
            providers=providers,
            box=BOX,
            as_json=True,
        )


def test_a_provider_that_is_away_is_the_exit_code_too(capsys, reference, ledger):
    class Away(SandboxProvider):
        async def list_payments(self, *, since, until):
            raise ProviderUnavailable("away")
            yield

    providers = PaymentProviders({"sandbox": Away(lambda: NOW, ledger=ledger)})
    assert reconcile(ALL, providers=providers, box=BOX, as_json=False) == 1
    told = capsys.readouterr()
    assert "Nothing was compared." in told.out
    assert "sandbox could not be read, try again: away" in told.err


def test_the_command_is_wired(reference):
    command = [str(Path(sys.executable).with_name("billwright")), "reconcile", "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    [report] = json.loads(done.stdout)
    assert (report["provider"], report["mended"]) == ("sandbox", 1)
