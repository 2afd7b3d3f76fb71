"""Can an operator bill what is due, and see beforehand what that would bring?"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import typer

from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry
from billwright.surfaces.cli.bill import bill
from tests.conftest import Tenant, make_tenant
from tests.features.billing import a_plan, a_subscription, an_account

NOW = datetime.now(UTC)
FORTY_DAYS_AGO = NOW - timedelta(days=40)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch, migrated_database: str) -> None:
    monkeypatch.setenv("BILLWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", migrated_database)


@pytest.fixture
def north(migrated_database: str, registry: Registry) -> str:
    """A tenant with a subscription whose renewal has been due for some days."""

    async def prepare() -> str:
        database = await Database.connect(
            migrated_database,
            outbox=QueueOutbox(registry),
            size=1,
            clock=FixedClock(FORTY_DAYS_AGO),
        )
        try:
            tenant: Tenant = await make_tenant(database, "north")
            async with tenant.tx() as tx:
                await a_plan(tx)
                account = await an_account(tx)
                await a_subscription(tx, account)
            return str(account.id)
        finally:
            await database.close()

    return asyncio.run(prepare())


def reported(capsys, **options) -> list[dict]:
    given = {"tenant_code": None, "rehearse": False, "as_json": True} | options
    assert bill(None, **given) == 0
    return json.loads(capsys.readouterr().out)


def test_a_rehearsal_a_run_and_the_run_after_it(capsys, north):
    [rehearsed] = reported(capsys, rehearse=True)
    [done] = reported(capsys)
    [again] = reported(capsys)
    # 29.00 + 9.90 = 38.90, and 19 % of it is 7.391
    invoice = {"kind": "invoice", "currency": "EUR", "count": 1, "total": "46.29"}
    assert rehearsed == done
    assert (done["steps"], done["documents"], done["parked"]) == (1, [invoice], {})
    assert (again["steps"], again["documents"]) == (0, [])


def test_people_read_a_table(capsys, north):
    assert bill(None, tenant_code="north", rehearse=True, as_json=False) == 0
    said = capsys.readouterr().out
    assert said.startswith("Would be billed up to ")
    assert "46.29" in said
    assert bill(None, tenant_code="north", rehearse=False, as_json=False) == 0
    assert bill(None, tenant_code="north", rehearse=False, as_json=False) == 0
    assert "Nothing is due." in capsys.readouterr().out


def test_the_future_can_only_be_rehearsed(capsys, north):
    later = NOW + timedelta(days=60)
    assert bill(later, tenant_code="north", rehearse=True, as_json=True) == 0
    [forecast] = json.loads(capsys.readouterr().out)
    assert forecast["steps"] >= 3
    with pytest.raises(typer.BadParameter, match="future"):
        bill(later, tenant_code="north", rehearse=False, as_json=True)


def test_what_is_due_later_is_left(capsys, north):
    assert bill(FORTY_DAYS_AGO, tenant_code="north", rehearse=False, as_json=True) == 0
    [report] = json.loads(capsys.readouterr().out)
    assert report["steps"] == 0


def test_a_parked_account_is_reported_and_told_by_the_exit_code(north, migrated_database):
    async def damage() -> None:
        connection = await asyncpg.connect(migrated_database)
        await connection.execute("update account set zone = 'Mars/Base'")
        await connection.close()

    asyncio.run(damage())
    command = [str(Path(sys.executable).with_name("billwright")), "bill", "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    [report] = json.loads(done.stdout)
    assert b"account parked" in done.stderr
    assert "Mars/Base" in report["parked"][north]


def test_an_unknown_tenant_is_refused(capsys):
    assert bill(None, tenant_code="south", rehearse=True, as_json=True) == 1
    assert "south" in capsys.readouterr().err
