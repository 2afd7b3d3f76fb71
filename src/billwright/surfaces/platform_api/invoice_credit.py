"""How does a platform pay an open invoice with the credit that its account has?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.invoicing.errors import (
    credit_insufficient,
    invoice_not_payable,
    invoice_unknown,
)
from billwright.features.payments.errors import (
    amount_above_due,
    amount_not_positive,
    currency_mismatch,
    payment_in_progress,
)
from billwright.features.payments.operations import apply_credit as applying
from billwright.features.payments.operations.withdraw_waiting import withdraw_waiting
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer
from billwright.surfaces.platform_api.invoices_models import Invoice, to_response
from billwright.surfaces.platform_api.versions import ETAG, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.wire import MoneyInput, RequestModel

router = APIRouter(prefix="/invoices", tags=["invoices"])


class ApplyCreditInput(RequestModel):
    """How much of the account's credit an invoice takes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"amount": {"amount": "20.00", "currency": "EUR"}}, {}]}
    )

    amount: Annotated[
        MoneyInput | None,
        Field(
            description="At most what is due and what the account has; left out, as much as both allow."
        ),
    ] = None


_ALL_THERE_IS = ApplyCreditInput()


@router.post(
    "/{invoice_id}/apply-credit",
    response_model=Invoice,
    summary="Pay an invoice with the account's credit",
    responses={
        200: ETAG,
        **refusals.of_writing(
            invoice_unknown,
            invoice_not_payable,
            currency_mismatch,
            amount_not_positive,
            amount_above_due,
            credit_insufficient,
            payment_in_progress,
        ),
    },
)
async def apply_credit(
    writer: Writer, invoice_id: UUID, idempotent: Idempotent, body: ApplyCreditInput = _ALL_THERE_IS
) -> Response:
    """For an invoice that was open before the account had credit; what is finalized later takes it by
    itself. A page on which the payer could pay the same is closed first.
    """

    async def apply(tx: Tx) -> Invoice:
        amount = None if body.amount is None else body.amount.to_money()
        command = applying.ApplyCredit(invoice_id=invoice_id, amount=amount)
        return to_response(await applying.apply_credit(tx, command))

    try:
        answer = await once(writer.tx(), idempotent, work=apply)
    except Refusal as refusal:
        providers, box = writer.wiring.payment_providers, writer.wiring.secret_box
        if refusal.code != payment_in_progress.code or not await withdraw_waiting(
            writer.tx, invoice_id, providers=providers, box=box
        ):
            raise
        answer = await once(writer.tx(), idempotent, work=apply)
    return with_etag(answer)
