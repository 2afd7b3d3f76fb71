"""With what does the worker work, and does it count what it does?"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest

from billwright.entrypoints.worker import BackgroundWork, console_links_for, mailer_for
from billwright.providers.mail.folder import FolderMailer
from billwright.providers.mail.smtp import SmtpMailer
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry, Sweep, Work
from billwright.runtime.queue.worker import Worker
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from tests.conftest import make_tenant
from tests.entrypoints.installation import free_port


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({}, FolderMailer),
        ({"SMTP_HOST": "smtp.example.com"}, SmtpMailer),
        (
            {"SMTP_HOST": "smtp.example.com", "SMTP_USER": "a", "SMTP_PASSWORD": "b"},
            SmtpMailer,
        ),
    ],
)
def test_mails_go_to_the_server_of_the_settings_or_into_the_folder(
    tmp_path: Path, variables: dict[str, str], kind: type
):
    settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})
    assert type(mailer_for(settings)) is kind


@pytest.mark.parametrize(
    ("given", "north", "south"),
    [
        ({}, None, None),
        ({"TENANT_FRONTEND_URLS": "north=https://north.example.com"}, "north", None),
        (
            {
                "BILLING_FRONTEND_URL": "https://console.example.com",
                "TENANT_FRONTEND_URLS": "north=https://north.example.com",
            },
            "north",
            "console",
        ),
    ],
)
def test_messages_lead_to_consoles_that_the_settings_name(
    tmp_path: Path, given: dict[str, str], north: str | None, south: str | None
):
    links = console_links_for(
        load_settings({"BILLWRIGHT_HOME": str(tmp_path), "TENANTS": "north,south", **given})
    )
    for code, host in (("north", north), ("south", south)):
        link = links.link_to("login", tenant_code=code, email="ada@riverbank.example")
        expected = host and f"https://{host}.example.com/login?email=ada@riverbank.example"
        assert link == expected


async def test_transactions_and_jobs_are_counted_by_how_they_ended(
    migrated_database: str, registry: Registry
):
    metrics = Metrics()
    database = await Database.connect(
        migrated_database, outbox=QueueOutbox(registry), size=2, metrics=metrics
    )

    async def run(work: Work) -> int:
        async with work.tx():
            raise RuntimeError("a bug")

    failing = Sweep(name="fail", cron="* * * * *", run=run)
    try:
        await make_tenant(database, "default")
        worker = Worker(
            database,
            Registry(sweeps=[failing]),
            dsn=migrated_database,
            providers={},
            metrics=metrics,
        )
        assert await worker.sweep(failing) == 0
    finally:
        await database.close()
    numbers = metrics.render().decode()
    assert 'billwright_transaction_seconds_count{outcome="committed"} 1.0' in numbers
    assert 'billwright_transaction_seconds_count{outcome="rolled_back"} 1.0' in numbers
    assert 'billwright_job_seconds_count{job="fail",outcome="failed"} 1.0' in numbers


async def test_a_worker_that_is_stopped_before_it_runs_ends_at_once(
    database: Database, migrated_database: str, registry: Registry
):
    worker = Worker(database, registry, dsn=migrated_database, providers={})
    worker.stop()
    await worker.run()


@pytest.mark.parametrize("is_set", [True, False])
async def test_the_numbers_of_a_worker_can_be_read_only_where_a_port_is_set(
    migrated_database: str, tmp_path: Path, is_set: bool
):
    port = free_port()
    variables = {"METRICS_PORT": str(port)} if is_set else {}
    settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})
    stop = asyncio.Event()
    working = asyncio.create_task(BackgroundWork(settings).run(migrated_database, stop=stop))
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as caller:
            answers = await _answers(caller, "/metrics", tries=50 if is_set else 5)
            if is_set:
                assert (await caller.get("/api/health")).status_code == 404
    finally:
        stop.set()
        await asyncio.wait_for(working, timeout=30)
    assert [answer.status_code for answer in answers] == ([200] if is_set else [])
    assert all("billwright_database_connections" in answer.text for answer in answers)


async def _answers(caller: httpx2.AsyncClient, path: str, *, tries: int) -> list[httpx2.Response]:
    """The first answer, if there is one in time."""
    for _ in range(tries):
        try:
            return [await caller.get(path)]
        except httpx2.ConnectError:
            await asyncio.sleep(0.1)
    return []
