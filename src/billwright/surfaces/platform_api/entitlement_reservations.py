"""How does a platform keep something for what is about to use it?

Who asks first and records afterwards lets others in between: a reservation is decided upon one after
the other, and becomes usage when it is committed.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_unknown
from billwright.features.entitlements.errors import (
    entitlement_exhausted,
    reservation_amount_invalid,
    reservation_differs,
    reservation_not_countable,
    reservation_not_entitled,
    reservation_not_held,
    reservation_subscription_ambiguous,
    reservation_too_small,
    reservation_unknown,
    reservation_usage_not_counted,
    subscription_not_of_account,
)
from billwright.features.entitlements.operations import finish_reservation as finishing
from billwright.features.entitlements.operations import reserve_allotment as reserving
from billwright.features.entitlements.sql.reads_reservations import (
    ReservationStanding,
    reservation_by_id,
)
from billwright.features.entitlements.sql.reads_reservations import (
    list_reservations as read_reservations,
)
from billwright.features.subscriptions.sql.reads_usage import usage_places
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.entitlement_reservations_models import (
    Reservation,
    ReservationCommit,
    ReservationInput,
    ReservedReservation,
    to_reserved,
    to_response,
)
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code

router = APIRouter(prefix="/entitlements", tags=["entitlements"])

_LISTING = Listing("entitlement_reservations", tuple[UUID])


@router.post(
    "/reserve",
    status_code=201,
    response_model=ReservedReservation,
    summary="Reserve something to use",
    responses=refusals.of_writing(
        account_unknown,
        subscription_not_of_account,
        reservation_not_entitled,
        reservation_not_countable,
        reservation_amount_invalid,
        reservation_subscription_ambiguous,
        entitlement_exhausted,
        reservation_differs,
    ),
)
async def reserve_entitlement(
    writer: Writer, body: ReservationInput, idempotent: Idempotent
) -> Response:
    """What is reserved nobody else is given, until it is committed, released or expires. Only features
    are reserved whose meter adds up or counts events.
    """

    async def reserve(tx: Tx) -> ReservedReservation:
        reserved = await reserving.reserve_allotment(tx, body.to_command())
        return to_reserved(reserved.kept, reserved.standing)

    return await once(writer.tx(), idempotent, work=reserve)


@router.get("/reservations", summary="List reservations", responses=refusals.of_listing())
async def list_reservations(
    reader: Reader,
    page: PageParameters,
    account_id: Annotated[UUID | None, Query(description="Only those of this account.")] = None,
    subscription_id: Annotated[
        UUID | None, Query(description="Only those of this subscription.")
    ] = None,
    feature: Annotated[Code | None, Query(description="Only those of this feature.")] = None,
    state: Annotated[
        ReservationStanding | None, Query(description="Only those that stand so now.")
    ] = None,
) -> Page[Reservation]:
    """Newest first."""
    filters = {
        "account_id": account_id,
        "subscription_id": subscription_id,
        "feature": feature,
        "state": state,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        reservations = await read_reservations(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            account_id=account_id,
            subscription_id=subscription_id,
            feature=feature,
            standing=state,
        )
    return _LISTING.page(
        reservations,
        page,
        filters=filters,
        key=lambda one: (one.reservation.id,),
        to_response=to_response,
    )


@router.get(
    "/reservations/{reservation_id}",
    summary="Get a reservation",
    responses=refusals.of_reading(reservation_unknown),
)
async def get_reservation(reader: Reader, reservation_id: UUID) -> Reservation:
    """As it stands now."""
    async with reader.tx() as tx:
        return to_response(await reservation_by_id(tx, reservation_id))


@router.post(
    "/reservations/{reservation_id}/commit",
    response_model=Reservation,
    summary="Commit a reservation",
    responses=refusals.of_writing(
        reservation_unknown,
        reservation_not_held,
        reservation_too_small,
        reservation_amount_invalid,
        reservation_usage_not_counted,
    ),
)
async def commit_reservation(
    writer: Writer, reservation_id: UUID, body: ReservationCommit, idempotent: Idempotent
) -> Response:
    """What was used is recorded as usage of the subscription at this instant, by the source
    `reservation` and the id of the reservation, and is billed as any other; the rest is free again. The
    same commit again changes nothing.
    """

    async def commit(tx: Tx) -> Reservation:
        subscription_id = (await reservation_by_id(tx, reservation_id)).reservation.subscription_id
        place = (await usage_places(tx, {subscription_id}))[subscription_id]
        command = body.to_command(reservation_id)
        return to_response(await finishing.commit_reservation(tx, command, place=place))

    return await once(writer.tx(), idempotent, work=commit)


@router.post(
    "/reservations/{reservation_id}/release",
    response_model=Reservation,
    summary="Release a reservation",
    responses=refusals.of_writing(reservation_unknown, reservation_not_held),
)
async def release_reservation(
    writer: Writer, reservation_id: UUID, idempotent: Idempotent
) -> Response:
    """Nothing of it was used. The same release again changes nothing."""

    async def release(tx: Tx) -> Reservation:
        return to_response(await finishing.release_reservation(tx, reservation_id))

    return await once(writer.tx(), idempotent, work=release)
