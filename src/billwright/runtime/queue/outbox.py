"""How do events, audit entries and jobs come into the same commit as their cause?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import msgspec

from billwright.kernel.event import Event
from billwright.kernel.ids import new_id_text
from billwright.runtime.db.database import Connection
from billwright.runtime.db.tx import JobRequest, Tx
from billwright.runtime.queue.connection import queue_queries
from billwright.runtime.queue.registry import Registry
from billwright.runtime.telemetry.context import origin

REACT = "react"
_EVENTS_PER_JOB = 500
# Features call down and publish up, so that chains are short; more of them is a circle.
_MOST_ROUNDS = 20


class QueueOutbox:
    """Draws the consequences of what was published, then writes the transaction's outbox: one statement
    per kind, whatever the number of rows.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, connection: Connection, tx: Tx) -> None:
        await self._draw_consequences(tx)
        await self._draw_from_all(tx)
        await _write_audit_entries(tx)
        if jobs := tx.jobs + self._reactions(tx):
            await queue_queries(connection).enqueue(
                [job.name for job in jobs],
                [
                    msgspec.json.encode({"tenant_id": tx.tenant_id, "payload": job.payload})
                    for job in jobs
                ],
                [0 for _ in jobs],
                [job.delay for job in jobs],
                [job.dedupe_key for job in jobs],
                on_conflict="skip",
            )
        # Last, because whoever reads the log in order waits until this transaction ends.
        await _write_events(tx)

    async def _draw_consequences(self, tx: Tx) -> None:
        drawn = 0
        for _ in range(_MOST_ROUNDS):
            fresh = [event for _, _, event in tx.events[drawn:]]
            if not fresh:
                return
            drawn = len(tx.events)
            for kind in dict.fromkeys(map(type, fresh)):
                for consequence in self._registry.consequences_of(kind):
                    await consequence.run(tx, [event for event in fresh if type(event) is kind])
        raise RuntimeError("consequences go round in a circle")

    async def _draw_from_all(self, tx: Tx) -> None:
        published = [event for _, _, event in tx.events]
        if not published:
            return
        for consequence in self._registry.consequences_of(Event):
            await consequence.run(tx, published)
        if len(tx.events) > len(published):
            raise RuntimeError("a consequence of every event has published another one")

    def _reactions(self, tx: Tx) -> list[JobRequest]:
        """One job per reaction and five hundred events, not one per event: batches stay batches."""
        jobs = []
        for kind in dict.fromkeys(type(event) for _, _, event in tx.events):
            ids = [event_id for event_id, _, event in tx.events if type(event) is kind]
            jobs += [
                JobRequest(REACT, {"reaction": reaction.name, "events": part})
                for reaction in self._registry.reactions_to(kind)
                for part in (
                    ids[start : start + _EVENTS_PER_JOB]
                    for start in range(0, len(ids), _EVENTS_PER_JOB)
                )
            ]
        return jobs


async def _write_events(tx: Tx) -> None:
    await tx.insert(
        "event",
        [
            {
                "id": event_id,
                "type": event.type,
                "version": event.version,
                "subject_type": event.subject_type,
                "subject_id": event.subject_id,
                "account_id": event.account_id,
                "occurred_at": at,
                "data": data_of(event),
            }
            for event_id, at, event in tx.events
        ],
        shared={"actor_kind": tx.actor.kind, "actor_name": tx.actor.name, "cause": tx.cause},
    )


async def _write_audit_entries(tx: Tx) -> None:
    if not tx.audit_entries:
        return
    address, request_id = origin()
    token = tx.actor.token
    await tx.insert(
        "audit_entry",
        [
            {
                "id": new_id_text(),
                "action": entry.action,
                "subject_type": entry.subject_type,
                "subject_id": entry.subject_id,
                "occurred_at": at,
                "details": entry.details,
            }
            for at, entry in tx.audit_entries
        ],
        shared={
            "actor_kind": tx.actor.kind,
            "actor_name": tx.actor.name,
            "actor_id": tx.actor.id,
            "token_id": None if token is None else token.id,
            "token_name": None if token is None else token.name,
            "cause": tx.cause,
            "address": address,
            "request_id": request_id,
        },
    )


def data_of(event: Event) -> dict[str, object]:
    """An event's published data: its fields, less those that have columns of their own."""
    return {name: getattr(event, name) for name in published_fields(type(event))}


def published_fields(event_type: type[Event]) -> Sequence[str]:
    """The names of an event's data, in the order of its declaration."""
    known = _PUBLISHED_FIELDS.get(event_type)
    if known is None:
        known = tuple(
            f.name for f in fields(event_type) if f.name not in {"subject_id", "account_id"}
        )
        _PUBLISHED_FIELDS[event_type] = known
    return known


_PUBLISHED_FIELDS: dict[type[Event], tuple[str, ...]] = {}
