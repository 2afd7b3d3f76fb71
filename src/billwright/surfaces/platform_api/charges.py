"""How does a platform charge something by hand?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.accounts.errors import (
    account_closed,
    account_reference_unknown,
    account_unknown,
)
from billwright.features.invoicing.errors import (
    charge_negative,
    line_period_reversed,
    line_too_large,
)
from billwright.features.invoicing.operations import add_charge as adding
from billwright.features.invoicing.operations import invoice_pending_charges as collecting
from billwright.features.tax.errors import tax_engine_unknown, tax_rate_unknown
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer
from billwright.surfaces.platform_api.fields import KnownCurrency
from billwright.surfaces.platform_api.invoices_inputs import ManualLineInput
from billwright.surfaces.platform_api.subscription_answers import BilledDocument, billed_document
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.wire import Identifier, RequestModel, ResponseModel

router = APIRouter(prefix="/charges", tags=["invoices"])


class ChargeInput(RequestModel):
    """A line for the account's next invoice, in its currency unless another is named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "line": {"description": "Data recovery", "unit_price": "90.00"},
                }
            ]
        }
    )

    account_id: Identifier
    line: Annotated[ManualLineInput, Field(description="Not below zero.")]
    currency: KnownCurrency | None = None


@router.post(
    "",
    status_code=204,
    summary="Charge something with the next invoice",
    responses=refusals.of_writing(
        account_reference_unknown,
        account_closed,
        charge_negative,
        line_too_large,
        line_period_reversed,
        tax_rate_unknown,
    ),
)
async def create_charge(writer: Writer, body: ChargeInput, idempotent: Idempotent) -> Response:
    """It waits for the next document of the account in that currency, whatever brings that about."""

    async def add(tx: Tx) -> None:
        await adding.add_charge(
            tx,
            adding.AddCharge(
                account_id=body.account_id, line=body.line.to_line(), currency=body.currency
            ),
        )

    return await once(writer.tx(), idempotent, work=add)


class CollectionRequest(RequestModel):
    """Whose waiting charges are to be invoiced."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"}]}
    )

    account_id: Identifier


class CollectedCharges(ResponseModel):
    """The documents that were made of what waited: one for each currency, or none."""

    documents: list[BilledDocument]


@router.post(
    "/invoice",
    response_model=CollectedCharges,
    summary="Invoice what waits",
    responses=refusals.of_writing(account_reference_unknown, tax_rate_unknown, tax_engine_unknown),
)
async def invoice_charges(
    writer: Writer, body: CollectionRequest, idempotent: Idempotent
) -> Response:
    """At once, without waiting for the billing day or for the seller's smallest invoice."""

    async def collect(tx: Tx) -> CollectedCharges:
        try:
            billed = await collecting.invoice_pending_charges(
                tx, collecting.InvoicePendingCharges(account_id=body.account_id)
            )
        except Refusal as refusal:
            if refusal.code != account_unknown.code:
                raise
            raise account_reference_unknown(
                pointer="/account_id", account_id=body.account_id
            ) from None
        return CollectedCharges(documents=[billed_document(one) for one in billed.documents])

    return await once(writer.tx(), idempotent, work=collect)
