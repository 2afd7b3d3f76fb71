"""How does usage become durable that arrives in many small requests?

Those that wait at the same time in this process are recorded together, by two transactions at a time
that share them. Each is answered after the commit, and refused by itself. Whoever tells much has a
transaction to itself, beside the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
# While the database stores some, others are read; more transactions than that record no more.
_MOST_AT_ONCE = 2
# Of as many as the other transaction has. With fewer, many small transactions cost more than they bring;
# with as many, one is often done before there are enough for another.
_ENOUGH_BESIDE_ANOTHER = 0.6
# So few are not shared: a transaction of one request costs as much as one of these.
_FEW = 8


class ToldUsage(NamedTuple):
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


class _Waiting(NamedTuple):
    """What one request tells, and which of it was new once that is known."""

    told: ToldUsage
    done: asyncio.Future[EventNames]


class _Line:
    """What one caller waits for, and how many requests each transaction on its way has; 0 is one that is
    about to take its own.
    """

    __slots__ = ("on_their_way", "waiting")

    def __init__(self) -> None:
        self.waiting: list[_Waiting] = []
        self.on_their_way: list[int] = []

    def has_enough_for_another(self) -> bool:
        """Whether a transaction is to begin beside those on their way."""
        if not self.on_their_way:
            return bool(self.waiting)
        others = self.on_their_way[0]
        return (
            len(self.on_their_way) < _MOST_AT_ONCE
            and len(self.waiting) >= others * _ENOUGH_BESIDE_ANOTHER > 0
        )

    def take_half(self) -> list[_Waiting]:
        """Those for whom the transaction began that is about to take them: half of all that wait or are
        on their way, for if one takes all, the other finds nobody. At least a few, and at most as many as
        one may have.
        """
        half = max((len(self.waiting) + sum(self.on_their_way) + 1) // 2, _FEW)
        return self._take(_as_many_as_fit([len(one.told.events) for one in self.waiting[:half]]))

    def take_all(self) -> list[_Waiting]:
        """Those for whom there is no transaction."""
        return self._take(len(self.waiting))

    def _take(self, count: int) -> list[_Waiting]:
        taken = self.waiting[:count]
        del self.waiting[:count]
        self.on_their_way[self.on_their_way.index(0)] = count
        return taken


class UsageIntake:
    """The usage that one process, in one event loop, is about to record."""

    def __init__(self) -> None:
        self._lines: dict[Caller, _Line] = {}
        self._recording: set[asyncio.Task[None]] = set()

    async def record(self, writer: Authorized, told: ToldUsage) -> EventNames:
        """As `record_told`, in a transaction with whatever else the same caller tells meanwhile."""
        if len(told.events) >= _MUCH:
            async with writer.tx() as tx:
                return await record_told(tx, told)
        done: asyncio.Future[EventNames] = asyncio.get_running_loop().create_future()
        line = self._lines.get(writer.caller)
        if line is None:
            line = self._lines[writer.caller] = _Line()
        line.waiting.append(_Waiting(told, done))
        self._begin_if_enough(line, writer)
        return await done

    def _begin_if_enough(self, line: _Line, writer: Authorized) -> None:
        if line.has_enough_for_another():
            line.on_their_way.append(0)
            task = asyncio.create_task(self._record_waiting(line, writer))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    async def _record_waiting(self, line: _Line, writer: Authorized) -> None:
        """By one transaction, which takes those who wait once it has begun: who comes while it begins
        comes along.
        """
        together: list[_Waiting] = []
        try:
            async with writer.tx() as tx:
                together = line.take_half()
                recorded = await _record(tx, together)
        except Exception as error:  # noqa: BLE001 - each of those who told is answered
            together = together or line.take_all()
            await _answer_failed(together, writer, error=error)
        else:
            _answer(together, recorded=recorded)
        finally:
            line.on_their_way.remove(len(together))
            self._begin_if_enough(line, writer)
        if not line.on_their_way and not line.waiting:
            self._lines.pop(writer.caller, None)


def _as_many_as_fit(sizes: Sequence[int]) -> int:
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > EVENTS_AT_A_TIME:
            return max(number, 1)
    return len(sizes)


async def _record(tx: Tx, together: Sequence[_Waiting]) -> EventNames:
    subjects = {
        subject: number for one in together for subject, number in one.told.subjects.items()
    }
    events = [event for one in together for event in one.told.events]
    return await record_told(tx, ToldUsage(subjects, events))


def _answer(together: Sequence[_Waiting], *, recorded: EventNames) -> None:
    for one in together:
        # An event that two of them tell was recorded for the first.
        own = {(event.source, event.event_id) for _, event in one.told.events} & recorded
        recorded -= own
        if not one.done.done():
            one.done.set_result(own)


async def _answer_failed(
    together: Sequence[_Waiting], writer: Authorized, *, error: Exception
) -> None:
    """What several are refused for may be the fault of one: each has another try by itself."""
    if len(together) > 1 and _is_of_one(error):
        for one in together:
            try:
                async with writer.tx() as tx:
                    recorded = await _record(tx, [one])
            except Exception as own:  # noqa: BLE001 - likewise
                await _answer_failed([one], writer, error=own)
            else:
                _answer([one], recorded=recorded)
        return
    for one in together:
        if not one.done.done():
            one.done.set_exception(error)


def _is_of_one(error: Exception) -> bool:
    """Whether one of several requests may be refused while the others are not."""
    return isinstance(error, Refusal) and error.category is not Category.UNAVAILABLE
