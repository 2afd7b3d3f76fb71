"""How does a platform let a customer have an invoice again?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from billwright.features.invoicing.errors import invoice_unknown
from billwright.features.notifications.errors import invoice_not_sendable, recipient_missing
from billwright.features.notifications.operations import send_invoice as sending
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.wire import ResponseModel

router = APIRouter(prefix="/invoices", tags=["invoices"])


class InvoiceSending(ResponseModel):
    """What was asked for; delivery begins at once and may take a while."""

    invoice_id: UUID
    recipients: Annotated[
        int,
        Field(
            description="How many messages are on their way: one to each billing contact or, without "
            "any, one to the account's own address."
        ),
    ]


@router.post(
    "/{invoice_id}/send",
    status_code=202,
    response_model=InvoiceSending,
    summary="Send an invoice again",
    responses=refusals.of_writing(invoice_unknown, invoice_not_sendable, recipient_missing),
)
async def send_invoice(writer: Writer, invoice_id: UUID, idempotent: Idempotent) -> Response:
    """As it stands now: with what is still due. It was sent by itself when it was finalized. Drafts,
    credit notes and void invoices are not sent.
    """

    async def send(tx: Tx) -> InvoiceSending:
        recipients = await sending.send_invoice(tx, invoice_id)
        return InvoiceSending(invoice_id=invoice_id, recipients=recipients)

    return await once(writer.tx(), idempotent, work=send)
