"""How does a request reach the notification service?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from billwright.features.notifications.model import NotificationRequest, Outcome, RequestState
from billwright.features.notifications.operations.outcomes import ended, postponed
from billwright.features.notifications.port import (
    Notifier,
    ServiceRejected,
    ServiceRequest,
    ServiceUnavailable,
    TypeStopped,
)
from billwright.kernel.ids import TenantId
from billwright.runtime.db.json import to_json

# Then one request of the type is tried again, so that nobody has to say that it is wanted once more.
STOPPED_FOR = timedelta(days=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """A request, as whom the service is to know it in this attempt, what it says, and where it leads its
    reader.
    """

    request: NotificationRequest
    tenant_id: TenantId
    id: UUID
    data: Mapping[str, str] = field(repr=False)
    links: Mapping[str, str]


async def submit_request(submission: Submission, *, service: Notifier, now: datetime) -> Outcome:
    """Hand a request over; what it says, and to which address, is the service's own business."""
    request = submission.request
    try:
        await service.submit(
            ServiceRequest(id=submission.id, body=_written(submission), sent_at=now)
        )
    except TypeStopped as reason:
        _log.warning("message type stopped", type=_type_of(request), reason=str(reason))
        outcome = ended(request, RequestState.DEAD, error=str(reason))
        return replace(outcome, stops_type=request.type)
    except ServiceRejected as reason:
        _log.warning("message refused", request_id=str(request.id), reason=str(reason))
        return ended(request, RequestState.DEAD, error=str(reason))
    except ServiceUnavailable as reason:
        return postponed(request, reason, now=now)
    return ended(request, RequestState.DELIVERED)


def _written(submission: Submission) -> bytes:
    request = submission.request
    is_repeated = submission.id != request.id
    return to_json(
        {
            "id": submission.id,
            "tenant": submission.tenant_id,
            "type": _type_of(request),
            "version": request.version,
            "recipient": _recipient(request),
            "locale": request.locale,
            "occurred_at": request.occurred_at,
            "subject_ref": {"type": request.subject_type, "id": request.subject_id},
            "sequence": request.sequence,
            "data": submission.data,
            "links": submission.links,
            "dedup_key": f"{request.dedup_key}:{request.attempts}"
            if is_repeated
            else request.dedup_key,
            "priority": request.priority,
            "expires_at": request.expires_at,
        }
    ).encode()


def _recipient(request: NotificationRequest) -> dict[str, object]:
    if request.user_id is not None:
        # The service does not know users, and some messages go to an address that is not theirs any more.
        named = {"user_id": request.user_id, "email": request.to_address}
    elif request.contact_id is not None:
        named = {"account_id": request.account_id, "contact_id": request.contact_id}
    else:
        named = {"account_id": request.account_id}
    return {**named, "role": request.recipient_role}


def _type_of(request: NotificationRequest) -> str:
    return f"{request.type}.v{request.version}"
