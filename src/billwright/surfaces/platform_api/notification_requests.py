"""Which messages to people were asked for, and what became of them?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from billwright.features.notifications import model
from billwright.features.notifications.errors import notification_request_unknown
from billwright.features.notifications.model import RecipientRole, RequestId, RequestState
from billwright.features.notifications.sql.reads import RequestQuery, list_requests, request_by_id
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant, ResponseModel

router = APIRouter(prefix="/notification-requests", tags=["notifications"])

_LISTING = Listing("notification_requests", tuple[UUID])


class NotificationRequest(ResponseModel):
    """A message to a person that was asked for, once. Billing sends nothing itself: the Notification
    service or the built-in mailer does, and billing does not depend on whether it does.
    """

    id: Annotated[UUID, Field(description="The same in every attempt at its delivery.")]
    type: Annotated[str, Field(description="What it says: `invoice.finalized`.")]
    version: Annotated[int, Field(description="Grows when a member of `data` changes its meaning.")]
    account_id: Annotated[UUID | None, Field(description="The account that it is for.")]
    user_id: Annotated[
        UUID | None, Field(description="The user that it is for, where it is for no account.")
    ]
    recipient_role: RecipientRole
    locale: Annotated[str, Field(description="The language and region to write in.")]
    subject_type: Annotated[
        str, Field(description="What it is about: `invoice`, `subscription`, `user`.")
    ]
    subject_id: UUID
    sequence: Annotated[int, Field(description="Its place among those about the same subject.")]
    data: Annotated[
        dict[str, str],
        Field(description="What is to be said, as it was when it was asked for; never a secret."),
    ]
    dedup_key: Annotated[str, Field(description="What is said only once.")]
    state: Annotated[
        RequestState,
        Field(
            description="`delivered` was accepted by whoever delivers it; `expired` was overtaken or "
            "too old; `dead` was refused for good."
        ),
    ]
    attempts: Annotated[int, Field(description="How often its delivery was tried.")]
    next_attempt_at: Instant | None
    last_error: Annotated[
        str | None, Field(description="What was said when it was not accepted the last time.")
    ]
    occurred_at: Annotated[
        Instant, Field(description="In the time of the account, which may be on a test clock.")
    ]
    expires_at: Annotated[Instant, Field(description="From then on it is not delivered any more.")]
    delivered_at: Instant | None


def to_response(request: model.NotificationRequest) -> NotificationRequest:
    return NotificationRequest(
        id=request.id,
        type=request.type,
        version=request.version,
        account_id=request.account_id,
        user_id=request.user_id,
        recipient_role=request.recipient_role,
        locale=request.locale,
        subject_type=request.subject_type,
        subject_id=request.subject_id,
        sequence=request.sequence,
        data=request.data,
        dedup_key=request.dedup_key,
        state=request.state,
        attempts=request.attempts,
        next_attempt_at=request.next_attempt_at,
        last_error=request.last_error,
        occurred_at=request.occurred_at,
        expires_at=request.expires_at,
        delivered_at=request.delivered_at,
    )


@router.get("", summary="List notification requests", responses=refusals.of_listing())
async def list_notification_requests(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    subject_id: Annotated[
        UUID | None, Query(description="Only messages about this invoice, subscription or user.")
    ] = None,
    type: Annotated[  # noqa: A002 - the name of the query parameter
        Code | None, Query(description="Only messages that say this.")
    ] = None,
    state: RequestState | None = None,
) -> Page[NotificationRequest]:
    """Newest first."""
    filters = {"account_id": account_id, "subject_id": subject_id, "type": type, "state": state}
    after = _LISTING.after(page, filters=filters)
    query = RequestQuery(account_id=account_id, subject_id=subject_id, type=type, state=state)
    async with reader.tx() as tx:
        requests = await list_requests(
            tx, query, before=after[0] if after else None, limit=page.limit + 1
        )
    return _LISTING.page(
        requests, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.get(
    "/{request_id}",
    summary="Get a notification request",
    responses=refusals.of_reading(notification_request_unknown),
)
async def get_notification_request(reader: Reader, request_id: UUID) -> NotificationRequest:
    async with reader.tx() as tx:
        return to_response(await request_by_id(tx, RequestId(request_id)))
