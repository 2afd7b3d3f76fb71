"""How does an operator compare a provider's books with ours?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import typer

from billwright.features.payment_providers.port import (
    Capability,
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.operations.comparison import Finding, Reconciled
from billwright.features.payments.rules.reconciliation import Window, window_after
from billwright.features.payments.sql.reads_reconciliation import last_compared_until
from billwright.features.refunds.operations.reconcile_provider import reconcile_provider
from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database
from billwright.runtime.secrets import SecretBox
from billwright.surfaces.cli.columns import in_columns
from billwright.surfaces.cli.operator_command import operator_tx, run_on_database, tenant_with

_HEADINGS = ("TENANT", "PROVIDER", "SINCE", "UNTIL", "COMPARED", "MENDED", "DIFFERENCES", "FOREIGN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What to compare; without a time, what the nightly run would take."""

    provider: str | None
    since: datetime | None
    until: datetime | None
    tenant_code: str | None


@dataclass(frozen=True, slots=True)
class _Report:
    tenant_id: TenantId
    done: Reconciled


def reconcile(chosen: Chosen, *, providers: PaymentProviders, box: SecretBox, as_json: bool) -> int:
    """Compare, mend and report; the exit code is 1 when something differs or could not be compared."""
    listing = _listing(providers, chosen.provider)
    reports: list[_Report] = []
    failures: list[str] = []

    async def work(database: Database) -> None:
        tenants = list(await database.all_tenants())
        if chosen.tenant_code is not None:
            tenants = [await tenant_with(database, chosen.tenant_code)]
        for tenant_id in tenants:
            for provider in listing:
                try:
                    done = await _reconciled(
                        database, tenant_id, chosen=chosen, provider=provider, box=box
                    )
                except (ProviderUnavailable, OutcomeUnknown) as reason:
                    failures.append(f"{provider.name} could not be read, try again: {reason}")
                else:
                    reports.append(_Report(tenant_id, done))

    code = run_on_database(work)
    if as_json:
        typer.echo(json.dumps([_as_json(report) for report in reports], indent=2))
    else:
        _print(reports)
    for failure in failures:
        typer.echo(failure, err=True)
    differs = any(report.done.run.differences for report in reports)
    return code or (1 if differs or failures else 0)


def _listing(providers: PaymentProviders, name: str | None) -> list[PaymentProvider]:
    able = {
        provider.name: provider
        for provider in providers.values()
        if Capability.LISTING in provider.capabilities
    }
    if name is None:
        return list(able.values())
    if name not in able:
        known = ", ".join(sorted(able)) or "none"
        raise typer.BadParameter(f"{name!r} lists no payments; those that do: {known}")
    return [able[name]]


async def _reconciled(
    database: Database,
    tenant_id: TenantId,
    *,
    chosen: Chosen,
    provider: PaymentProvider,
    box: SecretBox,
) -> Reconciled:
    open_tx = partial(operator_tx, database, tenant_id, cause="reconcile")
    async with open_tx() as tx:
        usual = window_after(await last_compared_until(tx, provider.name), now=tx.now)
    window = Window(chosen.since or usual.since, chosen.until or usual.until)
    if window.since >= window.until:
        raise typer.BadParameter(f"{window.since} is not before {window.until}")
    return await reconcile_provider(open_tx, window, provider=provider, box=box)


def _print(reports: Sequence[_Report]) -> None:
    rows = [_row(report) for report in reports]
    if rows:
        typer.echo(in_columns(_HEADINGS, rows))
    else:
        typer.echo("Nothing was compared.")
    for report in reports:
        for finding in report.done.findings:
            typer.echo(f"{report.done.run.provider}: {_told(finding)}")


def _row(report: _Report) -> tuple[str, ...]:
    run = report.done.run
    return (
        str(report.tenant_id),
        run.provider,
        run.window.since.isoformat(timespec="seconds"),
        run.window.until.isoformat(timespec="seconds"),
        str(run.compared),
        str(run.mended),
        str(run.differences),
        str(run.foreign_payments),
    )


def _told(finding: Finding) -> str:
    kind = finding.subject_type
    ours = f"{kind} {finding.subject_id}" if finding.subject_id else f"no {kind}"
    return f"{finding.difference}: there {finding.reference or 'nothing'}, here {ours}"


def _as_json(report: _Report) -> dict[str, object]:
    run = report.done.run
    return {
        "tenant_id": str(report.tenant_id),
        "provider": run.provider,
        "since": run.window.since.isoformat(),
        "until": run.window.until.isoformat(),
        "compared": run.compared,
        "mended": run.mended,
        "differences": run.differences,
        "foreign_payments": run.foreign_payments,
        "findings": [
            {
                "difference": finding.difference,
                "provider_reference": finding.reference,
                "provider_key": finding.provider_key,
                "payment_id": _id_of(finding, "payment"),
                "refund_id": _id_of(finding, "refund"),
                "dispute_id": _id_of(finding, "dispute"),
            }
            for finding in report.done.findings
        ],
    }


def _id_of(finding: Finding, subject_type: str) -> str | None:
    is_about_it = finding.subject_type == subject_type and finding.subject_id is not None
    return str(finding.subject_id) if is_about_it else None
