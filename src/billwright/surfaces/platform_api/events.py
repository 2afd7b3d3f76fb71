"""How does a platform follow what happens?"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from billwright.features.webhooks import model
from billwright.features.webhooks.errors import event_unknown
from billwright.features.webhooks.operations import event_types as catalogue
from billwright.features.webhooks.operations.read_event_log import read_event_log
from billwright.features.webhooks.sql.reads_events import event_by_id
from billwright.kernel.id_bounds import made_at
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant, ResponseModel

router = APIRouter(tags=["events"])

_LISTING = Listing("events", tuple[int])


class Event(ResponseModel):
    """A fact. What `data` holds, the type says: see the catalogue of events."""

    id: Annotated[UUID, Field(description="The same wherever and however often it is told.")]
    sequence: Annotated[
        int,
        Field(
            description="Its place in the log. What is later has a greater number, and what happened "
            "to one thing is in order; gaps say nothing."
        ),
    ]
    type: str
    version: Annotated[
        int, Field(description="Grows when a field changes its meaning or disappears.")
    ]
    occurred_at: Annotated[
        Instant, Field(description="In the time of the account, which may be on a test clock.")
    ]
    recorded_at: Annotated[Instant, Field(description="In the time of the machine.")]
    subject_type: Annotated[str, Field(description="What it happened to: `invoice`, `payment`.")]
    subject_id: UUID
    account_id: UUID | None
    data: dict[str, Any]


class EventPage(Page[Event]):
    """A part of the event log, the oldest first."""

    next_cursor: Annotated[
        str,
        Field(
            description="Pass it as `cursor` to read on, at once while `has_more`, else later; it does "
            "not expire."
        ),
    ]


class EventType(ResponseModel):
    """A kind of facts that endpoints can be told of."""

    type: str
    version: int
    subject_type: str
    description: str


def to_response(event: model.LoggedEvent) -> Event:
    return Event(
        id=event.id,
        sequence=event.position,
        type=event.type,
        version=event.version,
        occurred_at=event.occurred_at,
        recorded_at=made_at(event.id),
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        account_id=event.account_id,
        data=event.data,
    )


@router.get("/events", summary="Read the event log", responses=refusals.of_listing())
async def list_events(
    reader: Reader,
    page: PageParameters,
    type: Annotated[  # noqa: A002 - the name of the query parameter
        list[Code] | None,
        Query(max_length=50, description="Only these types; may be given several times."),
    ] = None,
    subject_id: UUID | None = None,
    account_id: UUID | None = None,
    since: Annotated[
        Instant | None, Query(description="Only what was recorded at or after this instant.")
    ] = None,
) -> EventPage:
    """Oldest first, and complete: what is committed later comes later, so that a reader that goes on
    from `next_cursor` misses nothing and sees nothing twice. With a filter by type, a page may be short
    or empty while `has_more` is true, because one request looks at a bounded part of the log.
    """
    filters = {
        "type": sorted(set(type)) if type else None,
        "subject_id": subject_id,
        "account_id": account_id,
        "since": since,
    }
    after = _LISTING.after(page, filters=filters)
    query = model.EventQuery(
        after=after[0] if after else None,
        limit=page.limit,
        types=tuple(type or ()),
        subject_id=subject_id,
        account_id=account_id,
        since=since,
    )
    found = await read_event_log(reader.tx, query)
    return EventPage(
        data=[to_response(event) for event in found.events],
        next_cursor=_LISTING.cursor_at((found.read_to,), filters=filters),
        has_more=found.more,
    )


@router.get(
    "/events/{event_id}", summary="Get an event", responses=refusals.of_reading(event_unknown)
)
async def get_event(reader: Reader, event_id: UUID) -> Event:
    async with reader.tx() as tx:
        return to_response(await event_by_id(tx, event_id))


@router.get("/event-types", summary="List the types of events", responses=refusals.of_reading())
async def list_event_types(_reader: Reader) -> list[EventType]:
    """All of them, by name."""
    return [
        EventType(
            type=name,
            version=event.version,
            subject_type=event.subject_type,
            description=(event.__doc__ or "").partition("\n\n")[0].strip(),
        )
        for name, event in catalogue.event_types().items()
    ]
