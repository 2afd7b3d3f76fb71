"""Who did it?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    API_KEY = "api_key"
    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class ActorToken:
    """The personal access token that a user's program came with, by the name that it had then."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Actor:
    """The one in whose name a transaction runs; `name` is readable in the audit log. A user who did not
    come in person has a `token`.
    """

    kind: ActorKind
    name: str
    id: UUID | None = None
    token: ActorToken | None = None


def system_actor(name: str) -> Actor:
    """A job, a reaction or a command line acting for nobody in particular."""
    return Actor(ActorKind.SYSTEM, name)
