"""What becomes of a request that was tried?"""

from __future__ import annotations

from datetime import datetime

import structlog

from billwright.features.notifications.model import NotificationRequest, Outcome, RequestState
from billwright.features.notifications.rules.next_attempt import next_attempt_at

_log = structlog.get_logger(__name__)


def ended(
    request: NotificationRequest, state: RequestState, *, error: str | None = None
) -> Outcome:
    """It is not tried again."""
    return Outcome(request_id=request.id, attempts=request.attempts, state=state, error=error)


def postponed(request: NotificationRequest, error: Exception, *, now: datetime) -> Outcome:
    """It is tried again later, unless it has been tried for long enough."""
    again_at = next_attempt_at(request.id, attempts=request.attempts, now=now)
    if again_at is None:
        _log.warning("message given up", request_id=str(request.id), reason=str(error))
    return Outcome(
        request_id=request.id,
        attempts=request.attempts,
        state=RequestState.PENDING if again_at else RequestState.DEAD,
        next_attempt_at=again_at,
        error=str(error),
    )
