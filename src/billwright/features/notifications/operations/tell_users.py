"""How are those who sign in told of what has happened?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Literal

from billwright.features.identity.events import (
    EmailChanged,
    EmailConfirmationRequested,
    PasswordResetRequested,
    RegistrationRepeated,
)
from billwright.features.identity.model import User
from billwright.features.identity.sql.reads_users import users_by_id
from billwright.features.notifications.messages import MessageType
from billwright.features.notifications.model import NewRequest
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.kernel.event import Event
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Recorded

# Somebody waits for it.
_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class _Notice:
    """What is said, how long it is worth saying, and the span of time in which it is said once."""

    type: MessageType
    lasts: timedelta
    once_in: Literal["minutes", "hours"]


_NOTICES: Mapping[type[Event], _Notice] = {
    EmailConfirmationRequested: _Notice(
        MessageType.USER_EMAIL_CONFIRMATION, timedelta(days=7), "minutes"
    ),
    PasswordResetRequested: _Notice(
        MessageType.USER_PASSWORD_RESET, timedelta(minutes=30), "minutes"
    ),
    EmailChanged: _Notice(MessageType.USER_EMAIL_CHANGED, timedelta(days=7), "minutes"),
    # A stranger can cause it as often as they like.
    RegistrationRepeated: _Notice(
        MessageType.USER_REGISTRATION_REPEATED, timedelta(days=1), "hours"
    ),
}


async def tell_users(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Ask for one message per user, address and span of time; whoever is gone is told nothing."""
    users = await users_by_id(tx, list({one.event.subject_id for one in recorded}))
    await request_messages(
        tx,
        [
            _request(one, users[one.event.subject_id])
            for one in recorded
            if one.event.subject_id in users
        ],
    )


def _request(recorded: Recorded, user: User) -> NewRequest:
    event, notice = recorded.event, _NOTICES[type(recorded.event)]
    address = event.former_email if isinstance(event, EmailChanged) else user.email
    span = recorded.occurred_at.astimezone(UTC).isoformat(timespec=notice.once_in)
    return NewRequest(
        type=notice.type.value,
        user_id=user.id,
        to_address=address,
        locale=user.locale,
        subject_type=event.subject_type,
        subject_id=user.id,
        data={"email": address},
        # The address belongs to it: who gives another one in the same minute gets a code there too.
        dedup_key=f"{notice.type.value}:{user.id}:{address}:{span}",
        occurred_at=recorded.occurred_at,
        expires_at=recorded.occurred_at + notice.lasts,
        priority=_PRIORITY,
    )
