"""How does an operator bill what is due, or see beforehand what that would bring?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TypeAlias

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from billwright.features.maintenance.operations.run_billing import (
    BillingReport,
    rehearse_billing,
    run_billing,
)
from billwright.kernel.actor import system_actor
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import TenantId
from billwright.kernel.money import Money
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.runtime.together import together
from billwright.surfaces.cli.columns import in_columns
from billwright.surfaces.cli.operator_command import run_on_database, tenant_with

# While a tenant waits for the lock on its numbers, this process computes for others. Each has several
# batches, which wait for a connection.
_TENANTS_AT_A_TIME = 3
CONNECTIONS = 4

Reports: TypeAlias = Mapping[TenantId, BillingReport]


def bill(as_of: datetime | None, *, tenant_code: str | None, rehearse: bool, as_json: bool) -> int:
    """Bill every tenant, or one, up to an instant; the exit code is 1 when accounts were parked.

    A rehearsal may look into the future; billing may not.
    """
    parked = 0

    async def work(database: Database) -> None:
        nonlocal parked
        until = as_of or database.clock.now()
        if not rehearse and until > database.clock.now():
            raise typer.BadParameter("lies in the future, which can only be rehearsed: --dry-run")
        if tenant_code is None:
            tenants = list(await database.all_tenants())
        else:
            tenants = [await tenant_with(database, tenant_code)]
        with _progress() as progress:
            reports = await bill_tenants(
                database,
                tenants,
                as_of=until,
                rehearse=rehearse,
                on_batch=partial(_show, progress, task=progress.add_task("", total=None)),
            )
        parked = sum(len(report.parked) for report in reports.values())
        if as_json:
            typer.echo(json.dumps([_as_json(key, one) for key, one in reports.items()], indent=2))
        else:
            _print(reports, until=until, rehearsed=rehearse)

    code = run_on_database(work, connections=CONNECTIONS)
    return code or (1 if parked else 0)


async def bill_tenants(
    database: Database,
    tenants: Sequence[TenantId],
    *,
    as_of: datetime,
    rehearse: bool,
    on_batch: Callable[[Reports], None],
) -> Reports:
    """Bill tenants, a few at a time, or see what that would bring; `on_batch` is told after each batch
    what has been done so far.
    """
    so_far: dict[TenantId, BillingReport] = {}

    async def bill_one(tenant_id: TenantId) -> BillingReport:
        def show(report: BillingReport) -> None:
            so_far[tenant_id] = report
            on_batch(so_far)

        return await _bill_tenant(
            database, tenant_id, as_of=as_of, rehearse=rehearse, on_batch=show
        )

    done = await together(bill_one, tenants, at_a_time=_TENANTS_AT_A_TIME)
    return dict(zip(tenants, done, strict=True))


async def _bill_tenant(
    database: Database,
    tenant_id: TenantId,
    *,
    as_of: datetime,
    rehearse: bool,
    on_batch: Callable[[BillingReport], None],
) -> BillingReport:
    actor = system_actor("command line")

    def opening() -> AbstractAsyncContextManager[Tx]:
        return database.tx(tenant_id, actor=actor, cause="bill")

    def rehearsing() -> AbstractAsyncContextManager[Tx]:
        now = max(as_of, database.clock.now())
        return database.rehearsal(tenant_id, actor=actor, cause="bill --dry-run", now=now)

    if rehearse:
        return await rehearse_billing(rehearsing, as_of=as_of, on_batch=on_batch)
    return await run_billing(opening, as_of=as_of, on_batch=on_batch)


def _progress() -> Progress:
    """On standard error, and only where a person sees it: the report goes to standard output."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _show(progress: Progress, so_far: Reports, *, task: TaskID) -> None:
    steps = sum(report.steps for report in so_far.values())
    documents = sum(sum(report.documents.values()) for report in so_far.values())
    progress.update(task, description=f"{steps} steps, {documents} documents")


def _print(reports: Reports, *, until: datetime, rehearsed: bool) -> None:
    verb = "Would be billed" if rehearsed else "Billed"
    typer.echo(f"{verb} up to {until.isoformat(timespec='seconds')}")
    rows = [
        (
            str(tenant_id),
            kind.value,
            currency,
            str(count),
            str(_decimal(report.totals[kind, currency], currency)),
        )
        for tenant_id, report in reports.items()
        for (kind, currency), count in sorted(report.documents.items())
    ]
    if rows:
        typer.echo(in_columns(["TENANT", "DOCUMENT", "CURRENCY", "NUMBER", "TOTAL"], rows))
    for tenant_id, report in reports.items():
        for count, words in (
            (report.drafts, "drafts kept, since collection is paused"),
            (report.pending, "charges wait for a billing day or the next invoice"),
            (report.held, "charges are held until more is owed"),
        ):
            if count:
                typer.echo(f"{tenant_id}: {count} {words}")
        for account_id, reason in sorted(report.parked.items()):
            typer.echo(f"{tenant_id}: account {account_id} parked: {reason}")
    if not any(report.steps or report.documents for report in reports.values()):
        typer.echo("Nothing is due.")


def _decimal(total_minor: int, currency: str) -> Decimal:
    return Money(total_minor, currency_of(currency)).to_decimal()


def _as_json(tenant_id: TenantId, report: BillingReport) -> dict[str, object]:
    return {
        "tenant_id": str(tenant_id),
        "steps": report.steps,
        "documents": [
            {
                "kind": kind.value,
                "currency": currency,
                "count": count,
                "total": str(_decimal(report.totals[kind, currency], currency)),
            }
            for (kind, currency), count in sorted(report.documents.items())
        ],
        "drafts": report.drafts,
        "pending": report.pending,
        "held": report.held,
        "parked": {str(key): reason for key, reason in report.parked.items()},
    }
