"""Is it still right to send a message to a user?"""

from __future__ import annotations

from billwright.features.identity.model import CodePurpose, User
from billwright.features.notifications.model import NotificationRequest


def why_not_to_user(
    request: NotificationRequest, user: User | None, *, purpose: CodePurpose | None, last: int
) -> str | None:
    """What speaks against it by now, if anything does.

    `last` is the sequence of the last request to say the same. Only the code that was made last is
    valid, so that an older message must not follow it.
    """
    if user is None:
        return "the user is gone"
    if user.locked_at is not None:
        return "the user is locked"
    if user.email != request.to_address:
        return "the user has another address"
    if purpose is CodePurpose.CONFIRM_EMAIL and user.email_confirmed_at is not None:
        return "the address is confirmed"
    if purpose is not None and request.sequence < last:
        return "another code was asked for since"
    return None
