"""How does a platform see the events that were told?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.usage import model
from billwright.features.usage.sql.reads import list_events
from billwright.kernel.actor import ActorKind
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.fields import plain
from billwright.surfaces.platform_api.usage_models import TYPE_PATTERN
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, ResponseModel

router = APIRouter(prefix="/subscriptions", tags=["usage"])

_LISTING = Listing("usage_events", tuple[datetime, str, str])


class EventReference(ResponseModel):
    """Another event."""

    source: str
    id: str


class TellerOfUsage(ResponseModel):
    """In whose name it was told."""

    kind: ActorKind
    name: str
    id: UUID | None


class UsageEvent(ResponseModel):
    """What was told once, and never changes."""

    source: str
    id: str
    type: str
    time: Annotated[Instant, Field(description="When it was used.")]
    quantity: Annotated[
        str | None,
        Field(
            description="Null where it only takes another event away; below zero where it takes "
            "something back.",
            examples=["3"],
        ),
    ]
    properties: Annotated[
        dict[str, str | int | bool] | None, Field(description="Null where it was told without any.")
    ]
    received_at: Annotated[Instant, Field(description="In the time of the account.")]
    told_by: Annotated[
        TellerOfUsage | None,
        Field(description="Null for what was told before that was kept."),
    ]
    corrects: Annotated[
        EventReference | None, Field(description="The event that it takes away or the place of.")
    ]
    corrected_by: Annotated[
        EventReference | None, Field(description="With one, the event does not count any more.")
    ]


@router.get(
    "/{subscription_id}/usage-events",
    summary="List the events of a subscription",
    responses=refusals.of_listing(subscription_unknown),
)
async def list_usage_events(
    reader: Reader,
    subscription_id: UUID,
    page: PageParameters,
    type_: Annotated[
        str,
        Query(
            alias="type",
            pattern=TYPE_PATTERN,
            description="Only events of this type.",
            examples=["api.request"],
        ),
    ],
    used_after: Annotated[
        Instant | None, Query(description="Only what was used at or after this instant.")
    ] = None,
    used_before: Annotated[
        Instant | None, Query(description="Only what was used before this instant.")
    ] = None,
) -> Page[UsageEvent]:
    """What was used last comes first. Corrected events and corrections are among them."""
    filters = {
        "subscription_id": subscription_id,
        "type": type_,
        "used_after": used_after,
        "used_before": used_before,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        await subscription_by_id(tx, subscription_id)
        events = await list_events(
            tx,
            subscription_id,
            event_type=type_,
            since=used_after,
            until=used_before,
            before=after,
            limit=page.limit + 1,
        )
    return _LISTING.page(
        events,
        page,
        filters=filters,
        key=lambda one: (one.event.occurred_at, one.event.source, one.event.event_id),
        to_response=_to_response,
    )


def _to_response(listed: model.ListedEvent) -> UsageEvent:
    event, teller = listed.event, listed.told_by
    return UsageEvent(
        source=event.source,
        id=event.event_id,
        type=event.meter,
        time=event.occurred_at,
        quantity=None if event.quantity is None else plain(event.quantity),
        properties=None if event.properties is None else dict(event.properties),
        received_at=listed.received_at,
        told_by=teller and TellerOfUsage(kind=teller.kind, name=teller.name, id=teller.id),
        corrects=_reference(event.corrects),
        corrected_by=_reference(listed.corrected_by),
    )


def _reference(name: model.EventName | None) -> EventReference | None:
    return None if name is None else EventReference(source=name.source, id=name.event_id)
