"""What have payment providers told of their own accord?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from billwright.features.callbacks import model
from billwright.features.callbacks.errors import callback_unknown
from billwright.features.callbacks.operations.retry_callbacks import (
    reopen_callback,
    retry_callback,
)
from billwright.features.callbacks.sql.reads import callback_by_id, list_callbacks
from billwright.features.payment_providers.model import EventKind
from billwright.features.payment_providers.port import CallbackInvalid
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.web.callbacks import take_callback
from billwright.surfaces.web.idempotency import REPLAYED, Idempotent, as_it_stands, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.problems import problem_response
from billwright.surfaces.web.wire import Code, Instant, ResponseModel

router = APIRouter(tags=["payments"])

_LISTING = Listing("provider_callbacks", tuple[UUID])


class ProviderCallback(ResponseModel):
    """What a provider told, without the body, which is kept sealed.

    `received` and `waiting` have still to be applied. `handled` has been, or said nothing new;
    `ignored` is of no use here; `unmatched` is about something that was never found.
    """

    id: UUID
    provider: str
    event_id: Annotated[str, Field(description="The provider's own; it is applied once.")]
    type: Annotated[str, Field(description="The provider's own word for what has happened.")]
    kind: Annotated[EventKind, Field(description="What it is about.")]
    reference: Annotated[
        str | None,
        Field(description="What the provider calls it; of a payment method, a digest of that."),
    ]
    state: model.CallbackState
    attempts: Annotated[int, Field(description="How often it could not be applied.")]
    last_error: Annotated[
        str | None, Field(description="Why it could not be applied the last time.")
    ]
    next_attempt_at: Annotated[
        Instant | None, Field(description="When it is tried again; null once that has ended.")
    ]
    happened_at: Annotated[Instant, Field(description="By the provider's clock.")]
    received_at: Instant
    handled_at: Annotated[Instant | None, Field(description="When nothing was left to be done.")]


def to_response(callback: model.Callback) -> ProviderCallback:
    return ProviderCallback(
        id=callback.id,
        provider=callback.provider,
        event_id=callback.event_id,
        type=callback.type,
        kind=callback.kind,
        reference=callback.reference,
        state=callback.state,
        attempts=callback.attempts,
        last_error=callback.last_error,
        next_attempt_at=callback.next_attempt_at,
        happened_at=callback.happened_at,
        received_at=callback.received_at,
        handled_at=callback.handled_at,
    )


@router.post("/providers/{provider}/callbacks", include_in_schema=False)
async def receive_provider_callback(request: Request, provider: str) -> Response:
    """Providers call this, and sign what they send; no API key is needed. 200 says that the callback is
    safe with us.
    """
    try:
        await take_callback(request, provider=provider)
    except CallbackInvalid as invalid:
        return problem_response(400, code="callback_invalid", detail=f"{invalid}.")
    return JSONResponse({"received": True})


@router.get(
    "/provider-callbacks", summary="List provider callbacks", responses=refusals.of_listing()
)
async def list_provider_callbacks(
    reader: Reader,
    page: PageParameters,
    provider: Code | None = None,
    state: model.CallbackState | None = None,
) -> Page[ProviderCallback]:
    """Newest first."""
    filters = {"provider": provider, "state": state}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        callbacks = await list_callbacks(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            provider=provider,
            state=state,
        )
    return _LISTING.page(
        callbacks, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.post(
    "/provider-callbacks/{callback_id}/retry",
    response_model=ProviderCallback,
    summary="Retry a provider callback",
    responses=refusals.of_writing(callback_unknown),
)
async def retry_provider_callback(
    writer: Writer, callback_id: UUID, idempotent: Idempotent
) -> Response:
    """Tries at once what is waiting or was given up, and answers what came of it. One that is handled
    stays so.
    """

    async def reopen(tx: Tx) -> ProviderCallback:
        return to_response(await reopen_callback(tx, callback_id))

    answer = await once(writer.tx(), idempotent, work=reopen)
    if REPLAYED not in answer.headers:
        wiring = writer.wiring
        await retry_callback(
            writer.tx,
            callback_id,
            database=wiring.database,
            providers=wiring.payment_providers,
            box=wiring.secret_box,
        )
    async with writer.tx() as tx:
        return as_it_stands(answer, to_response(await callback_by_id(tx, callback_id)))
