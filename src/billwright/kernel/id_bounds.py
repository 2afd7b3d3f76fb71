"""When was a UUIDv7 made, and which is the first one of an instant?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def first_id_at(instant: datetime) -> UUID:
    """No id that was made at or after the instant is smaller (RFC 9562: its first 48 bits are
    milliseconds).
    """
    milliseconds = max((instant - _EPOCH) // _MILLISECOND, 0)
    return UUID(int=milliseconds << 80)


def made_at(identifier: UUID) -> datetime:
    """The instant at which an id was made, to the millisecond."""
    return _EPOCH + (identifier.int >> 80) * _MILLISECOND
