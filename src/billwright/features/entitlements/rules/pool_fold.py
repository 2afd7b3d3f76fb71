"""What has usage left of the allotments of a window?

The usage of each segment is taken from what was in force in it, in burn order; what nothing covers is
overage. It is counted from the window's beginning, as often as it is asked for, so that an event which
becomes known late is taken from what was there when it occurred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.model import Allotment, Step
from billwright.features.entitlements.rules.pool import in_burn_order, lasts_at
from billwright.features.entitlements.rules.pool_cuts import issues
from billwright.features.entitlements.rules.pool_window import Window

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What the allotments have left, how often each grant was issued again, what what is in force comes
    to (none: no limit), and what was used of the window and beyond its limit.
    """

    balances: Mapping[UUID, Decimal]
    issued: Mapping[UUID, int]
    available: Decimal | None
    used: Decimal
    overage: Decimal


@dataclass(slots=True)
class _Part:
    """An allotment as it stands at one moment of the count."""

    allotment: Allotment
    changes: list[tuple[datetime, Step | int]]
    balance: Decimal = _NOTHING
    is_limited: bool = True
    gives: bool = False
    issued: int = 0

    def advance(self, instant: datetime) -> None:
        """Take on everything that happens up to and including an instant."""
        while self.changes and self.changes[0][0] <= instant:
            _, change = self.changes.pop(0)
            if isinstance(change, Step):
                self.balance = change.given + (_NOTHING if change.anew else self.balance)
                self.is_limited = change.limit is not None
                self.gives = change.gives
            else:
                self.balance = self.allotment.amount or _NOTHING
                self.issued = change


def fold(
    allotments: Sequence[Allotment],
    *,
    window: Window,
    zone: str,
    cuts: Sequence[datetime],
    usage: Sequence[Decimal],
    carried: Decimal,
) -> Folded:
    """What is left at the last of the `cuts`, or at the window's end where there is usage after the last
    one as well. The first is the window's start; `usage` is what was used between one and the next.
    What is `carried` over from the window before is taken first.
    """
    parts = {
        one.id: _Part(one, _changes(one, zone=zone, until=cuts[-1]), issued=one.issued_index)
        for one in allotments
    }
    ordered = [parts[one.id] for one in in_burn_order(tuple(allotments), window.end)]
    overage = _NOTHING
    in_force: list[_Part] = []
    for number, cut in enumerate(cuts):
        for part in ordered:
            part.advance(cut)
        in_force = [part for part in ordered if part.gives and lasts_at(part.allotment, cut)]
        if number == 0:
            overage += _burn(in_force, carried)
        if number < len(usage):
            overage += _burn(in_force, usage[number])
    return Folded(
        balances={key: part.balance for key, part in parts.items()},
        issued={key: part.issued for key, part in parts.items()},
        available=_available(in_force),
        used=sum(usage, carried),
        overage=overage,
    )


def _changes(
    allotment: Allotment, *, zone: str, until: datetime
) -> list[tuple[datetime, Step | int]]:
    began_at = allotment.steps[0].at
    changes: list[tuple[datetime, Step | int]] = [(step.at, step) for step in allotment.steps]
    changes += [
        (at, index) for index, at in issues(allotment, zone=zone, after=began_at, until=until)
    ]
    return sorted(changes, key=lambda change: change[0])


def _burn(parts: Sequence[_Part], used: Decimal) -> Decimal:
    """Take usage from what is in force; returns what nothing covers. Usage below zero is given back to
    what would be used last.
    """
    if used < 0:
        limited = [part for part in parts if part.is_limited]
        if limited and len(limited) == len(parts):
            limited[-1].balance -= used
        return _NOTHING
    for part in parts:
        if not part.is_limited:
            return _NOTHING
        taken = min(max(part.balance, _NOTHING), used)
        part.balance -= taken
        used -= taken
    return used


def _available(parts: Sequence[_Part]) -> Decimal | None:
    if not all(part.is_limited for part in parts):
        return None
    return sum((max(part.balance, _NOTHING) for part in parts), _NOTHING)
