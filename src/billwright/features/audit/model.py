"""What is known of something that was done?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billwright.kernel.actor import Actor
from billwright.kernel.id_bounds import made_at


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An entry of the log: who did what to which thing. `details` are the command's values."""

    id: UUID
    action: str
    subject_type: str
    subject_id: UUID
    actor: Actor
    cause: str
    address: str | None
    request_id: str | None
    occurred_at: datetime
    details: Any

    @property
    def recorded_at(self) -> datetime:
        """The machine's time, where `occurred_at` may be that of a test clock."""
        return made_at(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries are wanted; none is any.

    An `action` that ends with a dot stands for all that begin like it: `user.`. The instants are those of
    recording: at or after `since`, before `until`.
    """

    action: str | None = None
    actor_id: UUID | None = None
    subject_id: UUID | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
