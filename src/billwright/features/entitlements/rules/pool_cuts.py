"""Where does something begin, end or change in what a pool holds?

Between two such instants, all that is used can be taken at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from billwright.features.entitlements.model import Allotment, AllotmentKind
from billwright.kernel.calendar import Schedule, anniversary_schedule


def cuts_within(
    allotments: Iterable[Allotment], *, zone: str, start: datetime, until: datetime
) -> list[datetime]:
    """The start, and every such instant after it up to and including `until`, in order."""
    instants = {start}
    for one in allotments:
        known = [one.effective_at, *(step.at for step in one.steps)]
        if one.expires_at is not None:
            known.append(one.expires_at)
        instants.update(at for at in known if start < at <= until)
        instants.update(at for _, at in issues(one, zone=zone, after=start, until=until))
    return sorted(instants)


def next_cut(allotments: Iterable[Allotment], *, zone: str, after: datetime) -> datetime | None:
    """The first such instant that is still to come; none when nothing is foreseen."""
    coming = [
        at
        for one in allotments
        if one.voided_at is None
        for at in (one.effective_at, one.expires_at, _next_issue(one, zone=zone, after=after))
        if at is not None and at > after
    ]
    return min(coming, default=None)


def issues(
    allotment: Allotment, *, zone: str, after: datetime, until: datetime
) -> Iterator[tuple[int, datetime]]:
    """When a grant is issued anew after one instant and up to another, with how often it then was."""
    schedule = _schedule(allotment, zone)
    if schedule is None or until < allotment.effective_at:
        return
    index = max(schedule.containing(max(after, allotment.effective_at)).index, 0) + 1
    while (at := schedule.start_of(index)) <= until and _is_alive(allotment, at):
        yield index, at
        index += 1


def _next_issue(allotment: Allotment, *, zone: str, after: datetime) -> datetime | None:
    schedule = _schedule(allotment, zone)
    if schedule is None or after < allotment.effective_at:
        return None
    at = schedule.start_of(schedule.containing(after).index + 1)
    return at if _is_alive(allotment, at) else None


def _schedule(allotment: Allotment, zone: str) -> Schedule | None:
    if allotment.recurrence is None or allotment.kind is not AllotmentKind.GRANT:
        return None
    return anniversary_schedule(allotment.effective_at, zone=zone, interval=allotment.recurrence)


def _is_alive(allotment: Allotment, at: datetime) -> bool:
    return (allotment.expires_at is None or at < allotment.expires_at) and (
        allotment.voided_at is None or at < allotment.voided_at
    )
