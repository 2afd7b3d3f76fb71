"""What is wrong with this installation, and what is to be done?"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from billwright.runtime.settings import Settings, SettingsError, load_settings
from billwright.surfaces.cli.database_findings import database_findings
from billwright.surfaces.cli.findings import Finding, Verdict, fine, problem
from billwright.surfaces.cli.machine_findings import (
    address_findings,
    folder_findings,
    key_finding,
    mail_finding,
)

_STYLES = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red"}


def examine() -> int:
    """Print every finding with its remedy; the exit code is 1 when there is a problem."""
    console = Console(highlight=False, soft_wrap=True)
    counts = dict.fromkeys(Verdict, 0)
    for finding in _findings():
        counts[finding.verdict] += 1
        line = Text.assemble(
            (f"{finding.verdict:<8}", _STYLES[finding.verdict]),
            (f"{finding.subject:<15} ", "bold"),
            finding.text,
        )
        console.print(line)
        if finding.remedy:
            console.print(f"{'':<24}{finding.remedy}")
    problems, warnings = counts[Verdict.PROBLEM], counts[Verdict.WARNING]
    console.print(f"\n{problems} problems, {warnings} warnings")
    return 1 if problems else 0


def _findings() -> Iterator[Finding]:
    try:
        settings = load_settings()
    except SettingsError as error:
        for text in error.problems:
            yield problem("settings", text=text, remedy="Correct it; nothing else was examined.")
        return
    yield fine("settings", text=f"{settings.environment}, complete")
    yield from _findings_with(settings)


def _findings_with(settings: Settings) -> Iterator[Finding]:
    yield from folder_findings(settings)
    yield key_finding(settings)
    yield from database_findings(settings)
    yield from address_findings(settings)
    yield mail_finding(settings)
