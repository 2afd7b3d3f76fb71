"""How does a platform try out a year of billing in a minute?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.accounts import model
from billwright.features.accounts.errors import (
    test_clock_backwards,
    test_clock_busy,
    test_clock_too_far,
    test_clock_unknown,
)
from billwright.features.accounts.operations import create_test_clock as creating
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.accounts.sql.reads import list_test_clocks as read_test_clocks
from billwright.features.accounts.sql.reads import test_clock_by_id
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, RequestModel, ResponseModel, Text

router = APIRouter(prefix="/test-clocks", tags=["test clocks"])

_LISTING = Listing("test_clocks", tuple[UUID])


class TestClockInput(RequestModel):
    """A time of its own for the accounts that are attached to it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "A year", "now": "2026-01-31T08:30:00Z"}]}
    )

    name: Text
    now: Annotated[Instant, Field(description="Where the clock stands until it is advanced.")]


class AdvanceInput(RequestModel):
    """Where to move a test clock to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "2026-02-28T08:30:00Z"}]})

    to: Annotated[Instant, Field(description="Later than the clock's time, by two years at most.")]


class TestClock(ResponseModel):
    """A time of its own. While `advancing` it moves to `target` through all that falls due."""

    id: UUID
    name: str
    now: Instant
    state: model.TestClockState
    target: Instant | None
    failure: Annotated[str | None, Field(description="What stopped it, when `failed`.")]
    created_at: Instant


def to_response(clock: model.TestClock) -> TestClock:
    return TestClock(
        id=clock.id,
        name=clock.name,
        now=clock.now,
        state=clock.state,
        target=clock.target,
        failure=clock.failure,
        created_at=clock.created_at,
    )


@router.post(
    "",
    status_code=201,
    response_model=TestClock,
    summary="Create a test clock",
    responses=refusals.of_writing(),
)
async def create_test_clock(
    writer: Writer, body: TestClockInput, idempotent: Idempotent
) -> Response:
    """Accounts that are created with its id live by this clock instead of the real time."""

    async def create(tx: Tx) -> TestClock:
        return to_response(await creating.create_test_clock(tx, name=body.name, now=body.now))

    return await once(writer.tx(), idempotent, work=create)


@router.get("", summary="List test clocks", responses=refusals.of_listing())
async def list_test_clocks(reader: Reader, page: PageParameters) -> Page[TestClock]:
    """Newest first."""
    after = _LISTING.after(page)
    async with reader.tx() as tx:
        clocks = await read_test_clocks(
            tx, before=after[0] if after else None, limit=page.limit + 1
        )
    return _LISTING.page(clocks, page, key=lambda clock: (clock.id,), to_response=to_response)


@router.get(
    "/{test_clock_id}",
    summary="Get a test clock",
    responses=refusals.of_reading(test_clock_unknown),
)
async def get_test_clock(reader: Reader, test_clock_id: UUID) -> TestClock:
    """Poll this until `state` is `ready` again."""
    async with reader.tx() as tx:
        return to_response(await test_clock_by_id(tx, test_clock_id))


@router.post(
    "/{test_clock_id}/advance",
    status_code=202,
    response_model=TestClock,
    summary="Advance a test clock",
    responses=refusals.of_writing(
        test_clock_unknown, test_clock_busy, test_clock_backwards, test_clock_too_far
    ),
)
async def advance_test_clock(
    writer: Writer, test_clock_id: UUID, body: AdvanceInput, idempotent: Idempotent
) -> Response:
    """The worker moves the clock from one due instant to the next and bills at each."""

    async def advance(tx: Tx) -> TestClock:
        clock = await request_test_clock_advance(tx, test_clock_id=test_clock_id, target=body.to)
        return to_response(clock)

    return await once(writer.tx(), idempotent, work=advance)
