"""How does usage become durable that arrives in many small requests?

Those that wait at the same time in this process are recorded by one transaction: what comes in while
one is on its way waits for the next. Each is answered after the commit, and refused by itself. Whoever
tells much has a transaction to itself, beside the others.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billwright.features.identity.model import Caller
from billwright.features.subscriptions.model import UsageSubject
from billwright.features.subscriptions.operations.find_usage_places import find_usage_places
from billwright.features.usage.model import NewUsage
from billwright.features.usage.operations.record_usage import record_events
from billwright.features.usage.rules.acceptance import EVENTS_AT_A_TIME
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api.caller import Authorized

EventNames = set[tuple[str, str]]

# So many events take longer to be stored than a transaction takes to begin and to be committed.
_MUCH = 100


@dataclass(frozen=True, slots=True)
class ToldUsage:
    """What one request tells: events, each with whose usage it is; `subjects` has the number of the
    first event that names each.
    """

    subjects: Mapping[UsageSubject, int]
    events: Sequence[tuple[UsageSubject, NewUsage]]


async def record_told(tx: Tx, told: ToldUsage) -> EventNames:
    """Record what a request tells; returns the source and id of what was new. Refuses what
    `find_usage_places` and `record_events` refuse.
    """
    found = await find_usage_places(tx, told.subjects)
    # By identity, since hundreds of events name the same: a UUID takes longer to be looked up.
    places = {key: found[one] for key, one in {id(one): one for one, _ in told.events}.items()}
    return set(await record_events(tx, [(places[id(one)], event) for one, event in told.events]))


class UsageIntake:
    """The usage that one process, in one event loop, is about to record."""

    def __init__(self) -> None:
        self._waiting: dict[Caller, list[tuple[ToldUsage, asyncio.Future[EventNames]]]] = (
            defaultdict(list)
        )
        self._recording: dict[Caller, asyncio.Task[None]] = {}

    async def record(self, writer: Authorized, told: ToldUsage) -> EventNames:
        """As `record_told`, in a transaction with whatever else the same caller tells meanwhile."""
        if len(told.events) >= _MUCH:
            async with writer.tx() as tx:
                return await record_told(tx, told)
        done: asyncio.Future[EventNames] = asyncio.get_running_loop().create_future()
        self._waiting[writer.caller].append((told, done))
        if writer.caller not in self._recording:
            # The task begins when the loop comes round, after whatever else this turn brings.
            task = asyncio.create_task(self._record_waiting(writer))
            self._recording[writer.caller] = task
        return await done

    async def _record_waiting(self, writer: Authorized) -> None:
        waiting = self._waiting[writer.caller]
        try:
            while waiting:
                count = _as_many_as_fit([len(told.events) for told, _ in waiting])
                together = waiting[:count]
                del waiting[:count]
                await _record(writer, together)
        finally:
            del self._waiting[writer.caller], self._recording[writer.caller]


def _as_many_as_fit(sizes: Sequence[int]) -> int:
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > EVENTS_AT_A_TIME:
            return max(number, 1)
    return len(sizes)


async def _record(
    writer: Authorized, together: Sequence[tuple[ToldUsage, asyncio.Future[EventNames]]]
) -> None:
    subjects = {
        subject: number for told, _ in together for subject, number in told.subjects.items()
    }
    events = [event for told, _ in together for event in told.events]
    try:
        async with writer.tx() as tx:
            recorded = await record_told(tx, ToldUsage(subjects, events))
    except Exception as error:  # noqa: BLE001 - each of those who told is answered
        if len(together) > 1 and _is_of_one(error):
            for one in together:
                await _record(writer, [one])
            return
        for _, done in together:
            if not done.done():
                done.set_exception(error)
        return
    for told, done in together:
        # An event that two of them tell was recorded for the first.
        own = {(event.source, event.event_id) for _, event in told.events} & recorded
        recorded -= own
        if not done.done():
            done.set_result(own)


def _is_of_one(error: Exception) -> bool:
    """Whether one of several requests may be refused while the others are not."""
    return isinstance(error, Refusal) and error.category is not Category.UNAVAILABLE
