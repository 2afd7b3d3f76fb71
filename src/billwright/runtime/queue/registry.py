"""What work follows from what happens? What the features declare in `reactions.py` and `jobs.py`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID

from billwright.kernel.actor import system_actor
from billwright.kernel.event import Event
from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was stored."""

    id: UUID
    occurred_at: datetime
    event: Any


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one feature does when a lower one publishes an event.

    `run` gets a transaction of the events' tenant and only events that this reaction has not handled
    yet; its effects and the mark that it has handled them are one commit, so they take place once.
    """

    name: str
    event: type[Event]
    run: Callable[[Tx, Sequence[Recorded]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What one feature does in the very transaction in which a lower one publishes an event.

    It is for what must never be seen apart from its cause: an invoice that is paid and access that is
    still withheld. It gets all events of one kind at once, before the commit, and what it publishes has
    consequences in turn. If it fails, the cause has not happened either.

    One of `Event` itself is drawn once, at the end, from all events of whatever kind; it publishes none.
    """

    name: str
    event: type[Event]
    run: Callable[[Tx, Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Work:
    """What a job works with: one tenant, one instant, and the providers that were wired at start.

    `sweeps` are all that were declared, for the job that advances a test clock through them.
    """

    name: str
    database: Database
    tenant_id: TenantId
    as_of: datetime
    test_clock_id: UUID | None = None
    providers: Mapping[type[Any], Any] = field(default_factory=dict)
    sweeps: Sequence[Sweep] = ()

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """A transaction in the job's name; on a test clock it runs at the clock's time."""
        now = self.as_of if self.test_clock_id else None
        async with self.database.tx(
            self.tenant_id, actor=system_actor(self.name), cause=self.name, now=now
        ) as tx:
            yield tx

    def provider(self, port: type[P]) -> P:
        """The implementation wired for a feature's port."""
        implementation: P = self.providers[port]
        return implementation


@dataclass(frozen=True, slots=True)
class Sweep:
    """Work that looks for what is due, for every tenant, on a cron schedule (UTC).

    `run` handles everything due by `work.as_of` for accounts on `work.test_clock_id` (none: the real
    clock) and returns how many things it changed; running it again changes nothing. `next_due` tells
    an advancing test clock when there will be something to do; without it the sweep is not about
    billing time and only the real schedule runs it.
    """

    name: str
    cron: str
    run: Callable[[Work], Awaitable[int]]
    next_due: Callable[[Tx, UUID], Awaitable[datetime | None]] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work that a transaction asks for by `tx.enqueue(name, payload)`; it may run more than once."""

    name: str
    run: Callable[[Work, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that was declared, by name."""

    consequences: Sequence[Consequence] = ()
    reactions: Sequence[Reaction] = ()
    sweeps: Sequence[Sweep] = ()
    jobs: Sequence[Job] = ()

    def __post_init__(self) -> None:
        names = [r.name for r in self.reactions] + [s.name for s in self.sweeps]
        names += [job.name for job in self.jobs] + [one.name for one in self.consequences]
        if len(names) != len(set(names)):
            raise ValueError(f"two pieces of work share a name: {sorted(names)}")

    def consequences_of(self, event: type[Event]) -> list[Consequence]:
        """The consequences of one kind of event, in the order of the features' names."""
        return [one for one in self.consequences if one.event is event]

    def reactions_to(self, event: type[Event]) -> list[Reaction]:
        """The reactions to one kind of event."""
        return [reaction for reaction in self.reactions if reaction.event is event]

    def reaction(self, name: str) -> Reaction:
        """The reaction of that name; a `LookupError` when a newer version enqueued it."""
        for reaction in self.reactions:
            if reaction.name == name:
                return reaction
        raise LookupError(f"no reaction is named {name!r}")


def discover(package: ModuleType) -> Registry:
    """Collect `CONSEQUENCES`, `REACTIONS`, `SWEEPS` and `JOBS` of every feature in `package`."""
    modules = [
        importlib.import_module(f"{package.__name__}.{feature.name}.{part}")
        for feature in pkgutil.iter_modules(package.__path__)
        for part in _parts_of(package, feature.name)
    ]

    def declared(name: str) -> Iterable[Any]:
        return (entry for module in modules for entry in getattr(module, name, ()))

    return Registry(
        consequences=tuple(declared("CONSEQUENCES")),
        reactions=tuple(declared("REACTIONS")),
        sweeps=tuple(declared("SWEEPS")),
        jobs=tuple(declared("JOBS")),
    )


def _parts_of(package: ModuleType, feature: str) -> list[str]:
    folder = importlib.import_module(f"{package.__name__}.{feature}").__path__
    present = {entry.name for entry in pkgutil.iter_modules(folder)}
    return [part for part in ("reactions", "jobs") if part in present]
