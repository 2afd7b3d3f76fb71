"""Is what has begun finished, when a process is told to end?"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest

from billwright.features.accounts.operations.update_account import (
    AccountChanges,
    UpdateAccount,
    update_account,
)
from billwright.features.identity.operations.create_api_key import create_api_key
from tests.conftest import Tenant
from tests.entrypoints.installation import eventually, free_port, process
from tests.features.billing import an_account

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def held(dsn: str, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever needs the table waits until the block ends."""
    owner = await asyncpg.connect(dsn)
    try:
        async with owner.transaction():
            await owner.execute(f"lock table {table} in access exclusive mode")
            yield owner
    finally:
        await owner.close()


async def becomes(question: Callable[[], object]) -> bool:
    return await asyncio.to_thread(eventually, question)


async def somebody_waits(owner: asyncpg.Connection) -> None:
    for _ in range(3000):
        if await owner.fetchval("select exists (select from pg_locks where not granted)"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def ends(started: subprocess.Popen[str]) -> int:
    return await asyncio.to_thread(started.wait, 120)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_requests_that_have_begun_are_answered_and_no_more_are_taken(
    tmp_path: Path, migrated_database: str, tenant: Tenant
):
    async with tenant.tx() as tx:
        key = await create_api_key(tx, name="Test")
    port = free_port()
    variables = {"DATABASE_URL": migrated_database, "PORT": str(port)}
    with process("api", tmp_path / "home", **variables) as (started, log):
        assert await becomes(lambda: "Started server process" in log.read_text()), log.read_text()
        address, bearer = f"http://127.0.0.1:{port}/api", {"Authorization": f"Bearer {key.text}"}
        async with httpx2.AsyncClient(base_url=address, headers=bearer, timeout=60) as client:
            assert (await client.get("/health")).status_code == 200  # its connection stays open
            async with held(migrated_database, "account") as owner:
                asking = asyncio.create_task(client.get("/billing/accounts"))
                await somebody_waits(owner)
                started.send_signal(signal.SIGTERM)
                assert await becomes(lambda: not listens(port))
                assert (asking.done(), started.poll()) == (False, None)
            assert (await asking).status_code == 200
        assert await ends(started) == 0, log.read_text()
        assert "Traceback" not in log.read_text()


async def test_a_request_that_never_ends_keeps_nobody_waiting_for_ever(
    tmp_path: Path, migrated_database: str
):
    port = free_port()
    variables = {"DATABASE_URL": migrated_database, "PORT": str(port)}
    with process("api", tmp_path / "home", **variables) as (started, log):
        assert await becomes(lambda: "Started server process" in log.read_text()), log.read_text()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(
                b"POST /api/webhooks/payments/stripe HTTP/1.1\r\nHost: test\r\n"
                b"Content-Length: 10\r\n\r\n"
            )
            await asyncio.sleep(0.5)
            started.send_signal(signal.SIGTERM)
            assert await ends(started) == 0, log.read_text()


async def test_a_job_that_has_begun_is_finished(
    tmp_path: Path, migrated_database: str, tenant: Tenant
):
    async with tenant.tx() as tx:
        account = await an_account(tx)
    async with held(migrated_database, "handled_event") as owner:
        async with tenant.tx() as tx:
            changes = AccountChanges(name="Another")
            await update_account(tx, UpdateAccount(account_id=account.id, changes=changes))
        variables = {"DATABASE_URL": migrated_database}
        with process("worker", tmp_path / "home", **variables) as (started, log):
            await somebody_waits(owner)
            started.send_signal(signal.SIGTERM)
            await asyncio.sleep(1)
            assert started.poll() is None, log.read_text()
            await owner.execute("rollback; begin")  # the table is free again
            assert await ends(started) == 0, log.read_text()
            assert "Traceback" not in log.read_text()
            assert "cut off" not in log.read_text()
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from handled_event") >= 1
