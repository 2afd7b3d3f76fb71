"""How does a platform show what a customer will have to pay next?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from billwright.features.accounts.errors import account_parked, account_unknown
from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.operations.foresee_invoice import Upcoming, foresee_invoice
from billwright.features.subscriptions.sql.reads import account_of
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.subscription_answers import (
    PreviewDocument,
    document_output,
)
from billwright.surfaces.web.wire import Instant, ResponseModel

router = APIRouter(tags=["invoices"])


class UpcomingInvoice(ResponseModel):
    """What would be invoiced next, as things stand now. Nothing of it has happened."""

    account_id: UUID
    at: Annotated[
        Instant | None,
        Field(
            description="When it is made. Null with documents: what waits is invoiced when that is "
            "asked for. Null without: nothing is to come."
        ),
    ]
    documents: Annotated[
        list[PreviewDocument],
        Field(description="One for each currency; with tax, and with what credit pays."),
    ]


def to_response(upcoming: Upcoming, account_id: UUID) -> UpcomingInvoice:
    return UpcomingInvoice(
        account_id=account_id,
        at=upcoming.at,
        documents=[document_output(invoice, lines) for invoice, lines in upcoming.documents],
    )


@router.get(
    "/accounts/{account_id}/upcoming-invoice",
    summary="Get an account's upcoming invoice",
    responses=refusals.of_previewing(account_unknown, account_parked),
)
async def get_upcoming_invoice(reader: Reader, account_id: UUID) -> UpcomingInvoice:
    """With the renewals that come until then, pending changes and what waits, and with the usage so far:
    it grows with what is used until then.
    """
    async with reader.rehearsal() as tx:
        return to_response(await foresee_invoice(tx, account_id), account_id)


@router.get(
    "/subscriptions/{subscription_id}/upcoming-invoice",
    summary="Get a subscription's upcoming invoice",
    responses=refusals.of_previewing(subscription_unknown, account_parked),
)
async def get_subscription_upcoming_invoice(
    reader: Reader, subscription_id: UUID
) -> UpcomingInvoice:
    """The next documents of its account that have a line of it, with their other lines."""
    async with reader.rehearsal() as tx:
        account_id = await account_of(tx, subscription_id)
        upcoming = await foresee_invoice(tx, account_id, subscription_id=subscription_id)
    return to_response(upcoming, account_id)
