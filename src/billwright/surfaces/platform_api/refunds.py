"""How does a platform give money back, and see what became of it?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.payments.errors import currency_mismatch, payment_unknown
from billwright.features.refunds import model
from billwright.features.refunds.errors import (
    nothing_to_refund,
    refund_above_left,
    refund_not_confirmable,
    refund_not_positive,
    refund_not_retryable,
    refund_unknown,
)
from billwright.features.refunds.operations import confirm_refund as confirming
from billwright.features.refunds.operations import refund_payment as refunding
from billwright.features.refunds.operations import retry_refund as retrying
from billwright.features.refunds.operations.execute_refund import execute_refund
from billwright.features.refunds.sql.reads import RefundFilter, refund_by_id
from billwright.features.refunds.sql.reads import list_refunds as read_refunds
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Authorized, Reader, Writer
from billwright.surfaces.platform_api.list_filters import CreatedAfter, CreatedBefore
from billwright.surfaces.web.idempotency import Idempotent, as_it_stands, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import (
    Choice,
    Instant,
    MoneyInput,
    MoneyModel,
    RequestModel,
    ResponseModel,
    Text,
)

router = APIRouter(tags=["payments"])

_LISTING = Listing("refunds", tuple[UUID])


class RefundInput(RequestModel):
    """Give money of a payment back to its payer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"amount": {"amount": "11.90", "currency": "EUR"}, "reason": "Outage"},
                {"from": "credit", "reason": "Paid twice"},
            ]
        }
    )

    amount: Annotated[
        MoneyInput | None,
        Field(description="With tax: what the payer gets. Left out, it is all that is left."),
    ] = None
    reason: Annotated[Text, Field(description="Why; for the books and the provider.")]
    source: Annotated[
        Choice[refunding.RefundSource],
        Field(
            alias="from",
            description="`invoice` is what the payment paid of its invoice, on which a credit note of "
            "that total is issued; `credit` is what found nothing due and became credit of the account.",
        ),
    ] = refunding.RefundSource.INVOICE

    def to_command(self, payment_id: UUID) -> refunding.RefundPayment:
        return refunding.RefundPayment(
            payment_id=payment_id,
            reason=self.reason,
            amount=self.amount.to_money() if self.amount else None,
            source=self.source,
        )


class RefundOutcome(StrEnum):
    """What a person saw, or did."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundConfirmation(RequestModel):
    """What became of a refund that a person sends, or of which its provider does not tell."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "succeeded", "reference": "Transfer 31"}]}
    )

    outcome: Choice[RefundOutcome]
    reference: Annotated[Text | None, Field(description="What the transfer is called.")] = None

    def to_command(self, refund_id: UUID) -> confirming.ConfirmRefund:
        return confirming.ConfirmRefund(
            refund_id=refund_id,
            was_sent=self.outcome is RefundOutcome.SUCCEEDED,
            reference=self.reference,
        )


class RetryInput(RequestModel):
    """How a refund that has failed is tried again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"by_hand": True}]})

    by_hand: Annotated[
        bool,
        Field(description="A person sends the money, and confirms that; else the provider does."),
    ] = False


class Refund(ResponseModel):
    """Money of a payment on its way back."""

    id: UUID
    account_id: UUID
    payment_id: UUID
    credit_note_id: Annotated[
        UUID | None,
        Field(
            description="The credit note that says what it is for; null for what the account had as "
            "credit, and for what was given back at the provider itself."
        ),
    ]
    origin: model.RefundOrigin
    provider: Annotated[
        str, Field(description="Who sends the money; `manual` is a person, who then confirms it.")
    ]
    provider_reference: str | None
    state: Annotated[model.RefundState, Field(description="`failed` may come after `succeeded`.")]
    amount: MoneyModel
    reason: str
    failure_code: Annotated[str | None, Field(description="The provider's own word.")]
    next_check_at: Annotated[
        Instant | None, Field(description="When its outcome is looked for, while it is not known.")
    ]
    version: int
    created_at: Instant
    updated_at: Instant


class _Reserved(ResponseModel):
    """What a repetition needs: which refund the first request made, not how it stood then."""

    id: UUID


def to_response(refund: model.Refund) -> Refund:
    return Refund(
        id=refund.id,
        account_id=refund.account_id,
        payment_id=refund.payment_id,
        credit_note_id=refund.credit_note_id,
        origin=refund.origin,
        provider=refund.provider,
        provider_reference=refund.provider_reference,
        state=refund.state,
        amount=MoneyModel.from_money(refund.amount),
        reason=refund.reason,
        failure_code=refund.failure_code,
        next_check_at=refund.next_check_at,
        version=refund.version,
        created_at=refund.created_at,
        updated_at=refund.updated_at,
    )


@router.post(
    "/payments/{payment_id}/refunds",
    status_code=201,
    response_model=Refund,
    summary="Refund a payment",
    responses=refusals.of_writing(
        payment_unknown,
        currency_mismatch,
        refund_not_positive,
        nothing_to_refund,
        refund_above_left,
    ),
)
async def create_refund(
    writer: Writer, payment_id: UUID, body: RefundInput, idempotent: Idempotent
) -> Response:
    """The refund and its credit note are stored before the provider is asked. A repetition with the same
    key answers how the refund stands then. Money that came by hand goes back by hand: such a refund is
    `created` until it is confirmed.
    """

    async def refund(tx: Tx) -> _Reserved:
        return _Reserved(id=(await refunding.refund_payment(tx, body.to_command(payment_id))).id)

    return await _executed(writer, await once(writer.tx(), idempotent, work=refund))


@router.get("/refunds", summary="List refunds", responses=refusals.of_listing())
async def list_refunds(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    payment_id: UUID | None = None,
    credit_note_id: UUID | None = None,
    state: model.RefundState | None = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
) -> Page[Refund]:
    """Newest first."""
    filters: RefundFilter = {
        "account_id": account_id,
        "payment_id": payment_id,
        "credit_note_id": credit_note_id,
        "state": state,
        "created_after": created_after,
        "created_before": created_before,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        refunds = await read_refunds(
            tx, before=after[0] if after else None, limit=page.limit + 1, **filters
        )
    return _LISTING.page(
        refunds, page, filters=filters, key=lambda refund: (refund.id,), to_response=to_response
    )


@router.get(
    "/refunds/{refund_id}", summary="Get a refund", responses=refusals.of_reading(refund_unknown)
)
async def get_refund(reader: Reader, refund_id: UUID) -> Refund:
    """As it stands now."""
    async with reader.tx() as tx:
        return to_response(await refund_by_id(tx, refund_id))


@router.post(
    "/refunds/{refund_id}/confirm",
    response_model=Refund,
    summary="Confirm a refund",
    responses=refusals.of_writing(refund_unknown, refund_not_confirmable),
)
async def confirm_refund(
    writer: Writer, refund_id: UUID, body: RefundConfirmation, idempotent: Idempotent
) -> Response:
    """For money that a person sends (`provider` is `manual`), and for a refund of which the provider has
    not told for a week.
    """

    async def confirm(tx: Tx) -> Refund:
        return to_response(await confirming.confirm_refund(tx, body.to_command(refund_id)))

    return await once(writer.tx(), idempotent, work=confirm)


@router.post(
    "/refunds/{refund_id}/retry",
    status_code=201,
    response_model=Refund,
    summary="Retry a refund",
    responses=refusals.of_writing(refund_unknown, refund_not_retryable),
)
async def retry_refund(
    writer: Writer, refund_id: UUID, body: RetryInput, idempotent: Idempotent
) -> Response:
    """What its credit note still owes the payer is tried again as a refund of its own, which is the
    answer.
    """

    async def retry(tx: Tx) -> _Reserved:
        command = retrying.RetryRefund(refund_id=refund_id, by_hand=body.by_hand)
        return _Reserved(id=(await retrying.retry_refund(tx, command)).id)

    return await _executed(writer, await once(writer.tx(), idempotent, work=retry))


async def _executed(writer: Authorized, answer: Response) -> Response:
    """The refund that was reserved, once its provider has been asked; only the first asks."""
    refund = await execute_refund(
        writer.tx,
        _Reserved.model_validate_json(bytes(answer.body)).id,
        providers=writer.wiring.payment_providers,
    )
    return as_it_stands(answer, to_response(refund))
