"""How does a platform see which payments a payer's bank wants back?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from billwright.features.payment_providers.model import DisputeState
from billwright.features.refunds import model
from billwright.features.refunds.errors import dispute_unknown
from billwright.features.refunds.sql.reads import dispute_by_id
from billwright.features.refunds.sql.reads import list_disputes as read_disputes
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, MoneyModel, ResponseModel

router = APIRouter(prefix="/disputes", tags=["payments"])

_LISTING = Listing("disputes", tuple[UUID])


class Dispute(ResponseModel):
    """A payer's bank wants money back. An open dispute moves nothing here; a lost one takes the money off
    its invoice, which is due again.
    """

    id: UUID
    account_id: UUID
    payment_id: UUID
    provider: str
    provider_reference: str
    state: DisputeState
    amount: MoneyModel
    reason: Annotated[str, Field(description="The provider's own word.")]
    respond_by: Annotated[
        Instant | None, Field(description="Until when the provider takes evidence.")
    ]
    closed_at: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


def to_response(dispute: model.StoredDispute) -> Dispute:
    return Dispute(
        id=dispute.id,
        account_id=dispute.account_id,
        payment_id=dispute.payment_id,
        provider=dispute.provider,
        provider_reference=dispute.provider_reference,
        state=dispute.state,
        amount=MoneyModel.from_money(dispute.amount),
        reason=dispute.reason,
        respond_by=dispute.respond_by,
        closed_at=dispute.closed_at,
        version=dispute.version,
        created_at=dispute.created_at,
        updated_at=dispute.updated_at,
    )


@router.get("", summary="List disputes", responses=refusals.of_listing())
async def list_disputes(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    payment_id: UUID | None = None,
    state: DisputeState | None = None,
) -> Page[Dispute]:
    """Newest first."""
    filters = {"account_id": account_id, "payment_id": payment_id, "state": state}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        disputes = await read_disputes(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            account_id=account_id,
            payment_id=payment_id,
            state=state,
        )
    return _LISTING.page(
        disputes, page, filters=filters, key=lambda dispute: (dispute.id,), to_response=to_response
    )


@router.get(
    "/{dispute_id}", summary="Get a dispute", responses=refusals.of_reading(dispute_unknown)
)
async def get_dispute(reader: Reader, dispute_id: UUID) -> Dispute:
    """It is answered with the provider, until `respond_by`."""
    async with reader.tx() as tx:
        return to_response(await dispute_by_id(tx, dispute_id))
