"""How does a platform send a payer to a page of a provider?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.invoicing.errors import invoice_not_payable, invoice_unknown
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_providers.errors import (
    amount_unsupported,
    checkout_refused,
    provider_incapable,
    provider_missing,
    provider_not_named,
    provider_silent,
    provider_unknown,
    redirect_url_invalid,
)
from billwright.features.payments.errors import payment_in_progress
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.features.payments.sql.reads import attempts_of, payment_by_id
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer
from billwright.surfaces.platform_api.payment_methods import RedirectUrl
from billwright.surfaces.platform_api.payments import PaymentWithAttempts, with_attempts
from billwright.surfaces.web.idempotency import Idempotent, as_it_stands, once
from billwright.surfaces.web.wire import Code, Instant, RequestModel, ResponseModel

router = APIRouter(prefix="/invoices", tags=["payments"])


class PaymentPageInput(RequestModel):
    """Where the payer comes back to. Addresses begin with https://, on a developer's own machine also
    with http://.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success_url": "https://app.example.com/billing/thanks",
                    "cancel_url": "https://app.example.com/billing",
                    "saves_method": True,
                }
            ]
        }
    )

    success_url: Annotated[RedirectUrl, Field(description="Once they have paid.")]
    cancel_url: Annotated[RedirectUrl, Field(description="When they leave the page.")]
    saves_method: Annotated[
        bool, Field(description="Keep what they pay with for later payments without them.")
    ] = False
    provider: Annotated[
        Code | None, Field(description="Whose page it is; left out, the only one that has pages.")
    ] = None


class OpenedPaymentPage(ResponseModel):
    """Where to send the payer, until when. Who has the address can act as the payer."""

    url: str
    expires_at: Instant
    payment: PaymentWithAttempts


class _Asked(ResponseModel):
    """What a repetition needs: nothing but that it is one, since the page that is open is the answer."""

    invoice_id: UUID


@router.post(
    "/{invoice_id}/payment-page",
    status_code=201,
    response_model=OpenedPaymentPage,
    summary="Open a page to pay an invoice on",
    responses=refusals.of_writing(
        invoice_unknown,
        invoice_not_payable,
        payment_in_progress,
        provider_unknown,
        provider_incapable,
        provider_missing,
        provider_not_named,
        redirect_url_invalid,
        amount_unsupported,
        checkout_refused,
        provider_silent,
    ),
)
async def open_payment_page(
    writer: Writer, invoice_id: UUID, body: PaymentPageInput, idempotent: Idempotent
) -> Response:
    """An invoice has one page at a time, for all that is due: asked for again it is the same one for as
    long as it is open, and one that asks for another amount is closed.
    """

    async def ask(tx: Tx) -> _Asked:
        return _Asked(invoice_id=(await invoice_by_id(tx, invoice_id)).id)

    answer = await once(writer.tx(), idempotent, work=ask)
    page = await open_page(
        writer.tx,
        OpenPage(
            invoice_id=invoice_id,
            success_url=body.success_url,
            cancel_url=body.cancel_url,
            saves_method=body.saves_method,
            provider=body.provider,
        ),
        providers=writer.wiring.payment_providers,
        box=writer.wiring.secret_box,
    )
    async with writer.tx() as tx:
        payment = await payment_by_id(tx, page.payment_id)
        shown = with_attempts(payment, await attempts_of(tx, page.payment_id))
    content = OpenedPaymentPage(url=page.url, expires_at=page.expires_at, payment=shown)
    return as_it_stands(answer, content)
