"""What does the history of a subscription look like in answers?"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from billwright.features.subscriptions import model
from billwright.kernel.actor import ActorKind
from billwright.surfaces.web.wire import Instant, ResponseModel


class HistoryActor(ResponseModel):
    """In whose name it was done."""

    kind: ActorKind
    name: str
    id: UUID | None


class HistoryEntry(ResponseModel):
    """A command or a step, as it was recorded with what it did."""

    id: UUID
    action: Annotated[str, Field(examples=["subscription.change_plan"])]
    actor: HistoryActor
    cause: Annotated[str, Field(description="What asked for it: an operation or a job.")]
    occurred_at: Annotated[
        Instant, Field(description="By the account's test clock, if it has one.")
    ]
    details: Annotated[
        dict[str, Any], Field(description="The values of a command, or what a step changed.")
    ]


def to_entry(entry: model.HistoryEntry) -> HistoryEntry:
    return HistoryEntry(
        id=entry.id,
        action=entry.action,
        actor=HistoryActor(kind=entry.actor.kind, name=entry.actor.name, id=entry.actor.id),
        cause=entry.cause,
        occurred_at=entry.occurred_at,
        details=entry.details,
    )
