"""What has happened?

A feature declares its facts as frozen dataclasses derived from `Event`. The class names the wire type
and its version; the instance names the subject, the account it belongs to and the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the past tense. Fields of subclasses are its published data: UUID, str, int, bool,
    date, datetime, Decimal or containers of them; no secrets.

    `type` is `<noun>.<past participle>`, for example `invoice.finalized`; `version` grows when a
    field changes its meaning or disappears. `subject_id` names the thing that changed and orders the
    events of one thing.
    """

    type: ClassVar[str]
    version: ClassVar[int] = 1
    subject_type: ClassVar[str]

    subject_id: UUID
    account_id: UUID | None
