"""What would a dunning policy do, and when?"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from billwright.features.dunning.rules.policy import (
    DunningPolicy,
    definition_of,
    policy_of,
)
from billwright.features.dunning.rules.timeline import (
    EntryKind,
    SupposedOutcome,
    TimelineEntry,
    timeline,
)
from billwright.kernel.calendar import local_date, require_zone, resolve
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import SystemClock
from billwright.surfaces.cli.columns import in_columns

_WORDS = {
    EntryKind.PASSED_OVER: "no attempt: no payment method that may help",
    EntryKind.NOTICE: "notice",
    EntryKind.ACCESS: "access",
    EntryKind.FINAL_ACTION: "final action",
    EntryKind.RESTORED: "access restored",
}


class PolicyFileUnreadable(Exception):  # noqa: N818 - an answer to the operator
    """The file is neither TOML nor JSON; the text says where."""


def simulate(
    policy_file: Path | None,
    *,
    opened_on: datetime | None,
    zone: str,
    declines: str,
    paid_at: int | None,
    as_json: bool,
) -> int:
    """Print what happens to an invoice whose first charge is made at `opened_on`, the zone's local
    time, else now; the exit code is 1 when the policy or the zone is refused.
    """
    outcomes = _outcomes(declines, paid_at=paid_at)
    try:
        policy = DunningPolicy() if policy_file is None else policy_of(_definition(policy_file))
        require_zone(zone)
    except (Refusal, PolicyFileUnreadable) as error:
        typer.echo(str(error), err=True)
        return 1
    opened_at = SystemClock().now() if opened_on is None else resolve(opened_on, zone)
    entries = timeline(policy, opened_at=opened_at, zone=zone, outcomes=outcomes)
    if as_json:
        typer.echo(json.dumps(_as_json(policy, entries, zone=zone), indent=2))
    else:
        typer.echo(as_table(entries, zone=zone))
    return 0


def as_table(entries: Sequence[TimelineEntry], *, zone: str) -> str:
    """One line for each thing that happens, in the zone's local time."""
    first_day = local_date(entries[0].at, zone)
    return in_columns(
        ("day", "local time", "step", "what"),
        [
            (
                str((local_date(entry.at, zone) - first_day).days),
                entry.at.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M %z"),
                str(entry.step),
                _in_words(entry),
            )
            for entry in entries
        ],
    )


def _outcomes(declines: str, *, paid_at: int | None) -> list[SupposedOutcome]:
    """Those of the attempts in order; with `paid_at`, soft declines up to the one that is paid."""
    names = [name.strip() for name in declines.split(",") if name.strip()]
    allowed = {SupposedOutcome.SOFT.value, SupposedOutcome.HARD.value}
    if not allowed.issuperset(names):
        raise typer.BadParameter("must be soft or hard, with commas between", param_hint="declines")
    outcomes = [SupposedOutcome(name) for name in names]
    if paid_at is None:
        return outcomes
    if paid_at <= len(outcomes):
        raise typer.BadParameter("names an attempt that --declines declines", param_hint="paid-at")
    softly = [SupposedOutcome.SOFT] * (paid_at - 1 - len(outcomes))
    return [*outcomes, *softly, SupposedOutcome.PAID]


def _definition(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            definition = json.loads(text, parse_float=Decimal)
        else:
            definition = tomllib.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:  # undecodable text and wrong syntax are ValueErrors
        raise PolicyFileUnreadable(f"{path} cannot be read as TOML or JSON: {error}") from error
    if not isinstance(definition, dict):
        raise PolicyFileUnreadable(f"{path} holds no table of a policy's members.")
    return definition


def _in_words(entry: TimelineEntry) -> str:
    if entry.kind is EntryKind.ATTEMPT:
        paid = entry.value == SupposedOutcome.PAID
        return f"attempt {entry.attempt}: " + ("paid" if paid else f"declined ({entry.value})")
    without = f" (without {', '.join(entry.features)})" if entry.features else ""
    value = f": {entry.value}" if entry.value else ""
    return f"{_WORDS[entry.kind]}{value}{without}"


def _as_json(
    policy: DunningPolicy, entries: Sequence[TimelineEntry], *, zone: str
) -> dict[str, object]:
    return {
        "policy": definition_of(policy),
        "zone": zone,
        "entries": [
            {
                "at": entry.at.isoformat(),
                "kind": entry.kind.value,
                "step": entry.step,
                "value": entry.value,
                "attempt": entry.attempt,
                "features": list(entry.features),
            }
            for entry in entries
        ],
    }
