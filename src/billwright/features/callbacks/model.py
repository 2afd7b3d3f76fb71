"""What is known of what a provider told of its own accord?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.payment_providers.model import EventKind

CallbackId = NewType("CallbackId", UUID)


class CallbackState(StrEnum):
    """`received` is safe with us and not applied yet, `waiting` could not be applied and is tried again.

    The others are ends: `handled` has been applied, or said nothing new; `ignored` is of no use here;
    `unmatched` is about something that was never found.
    """

    RECEIVED = "received"
    WAITING = "waiting"
    HANDLED = "handled"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a provider told of its own accord, stored before anything was done about it.

    `attempts` counts how often it could not be applied, `last_error` says why the last time, in a word
    of ours. Of a payment method `reference` is a digest. `body_sealed` is the body as it was signed.
    """

    id: CallbackId
    provider: str
    event_id: str
    type: str
    kind: EventKind
    reference: str | None
    provider_key: str | None
    body_sealed: str
    state: CallbackState
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    happened_at: datetime
    received_at: datetime
    handled_at: datetime | None
