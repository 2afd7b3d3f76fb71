"""With what does the worker work, and does it count what it does?"""

from __future__ import annotations

from pathlib import Path

import pytest

from billwright.entrypoints.worker import mailer_for
from billwright.providers.mail.folder import FolderMailer
from billwright.providers.mail.smtp import SmtpMailer
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry, Sweep, Work
from billwright.runtime.queue.worker import Worker
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from tests.conftest import make_tenant


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
