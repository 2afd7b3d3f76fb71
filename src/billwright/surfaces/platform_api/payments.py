"""How does a platform say that money has come?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.invoicing.errors import invoice_not_payable, invoice_reference_unknown
from billwright.features.payments import model
from billwright.features.payments.errors import (
    amount_above_due,
    amount_not_positive,
    currency_mismatch,
    payment_in_progress,
    payment_unknown,
    provider_unknown,
)
from billwright.features.payments.operations.collect_payment import collect_payment
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.port import Reservation
from billwright.features.payments.sql.reads import attempts_of, payment_by_id
from billwright.features.payments.sql.reads import list_payments as read_payments
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Authorized, Reader, Writer
from billwright.surfaces.web.idempotency import REPLAYED, Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import (
    CalendarDate,
    Choice,
    Code,
    Identifier,
    Instant,
    MoneyInput,
    MoneyModel,
    RequestModel,
    ResponseModel,
    Text,
)

router = APIRouter(prefix="/payments", tags=["payments"])

_LISTING = Listing("payments", tuple[UUID])


class PaymentInput(RequestModel):
    """Money for an invoice, at most what is due on it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "invoice_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "amount": {"amount": "69.85", "currency": "EUR"},
                    "method": "bank_transfer",
                    "reference": "2026-000001",
                    "received_on": "2026-02-03",
                }
            ]
        }
    )

    invoice_id: Identifier
    amount: MoneyInput
    provider: Annotated[
        Code, Field(description="Who moves the money; `manual` is money that a person has seen.")
    ] = "manual"
    method: Choice[model.PaymentMethod] = model.PaymentMethod.BANK_TRANSFER
    reference: Annotated[Text | None, Field(description="What the payer wrote.")] = None
    received_on: Annotated[
        CalendarDate | None, Field(description="The day on which the money was seen.")
    ] = None


class PaymentAttempt(ResponseModel):
    """One request to the provider; `unknown` is a call without an answer, which is asked for."""

    id: UUID
    state: model.AttemptState
    provider_reference: str | None
    failure_code: Annotated[str | None, Field(description="The provider's own word.")]
    created_at: Instant
    updated_at: Instant


class Payment(ResponseModel):
    """Money for one invoice."""

    id: UUID
    account_id: UUID
    invoice_id: UUID
    provider: str
    method: model.PaymentMethod
    state: model.PaymentState
    amount: MoneyModel
    unapplied: Annotated[
        MoneyModel, Field(description="The part for which nothing was due any more.")
    ]
    reference: str
    received_on: CalendarDate | None
    version: int
    created_at: Instant
    updated_at: Instant


class PaymentWithAttempts(Payment):
    """A payment with every request for it, the first one first."""

    attempts: list[PaymentAttempt]


class _Reserved(ResponseModel):
    """What a repetition needs: which payment the first request made, not how it stood then."""

    id: UUID


def from_request(body: PaymentInput) -> StartPayment:
    return StartPayment(
        invoice_id=body.invoice_id,
        amount=body.amount.to_money(),
        provider=body.provider,
        method=body.method,
        reference=body.reference or "",
        received_on=body.received_on,
    )


def to_response(payment: model.Payment) -> Payment:
    unapplied = Money(payment.unapplied_minor, payment.amount.currency)
    return Payment(
        id=payment.id,
        account_id=payment.account_id,
        invoice_id=payment.invoice_id,
        provider=payment.provider,
        method=payment.method,
        state=payment.state,
        amount=MoneyModel.from_money(payment.amount),
        unapplied=MoneyModel.from_money(unapplied),
        reference=payment.reference,
        received_on=payment.received_on,
        version=payment.version,
        created_at=payment.created_at,
        updated_at=payment.updated_at,
    )


def with_attempts(payment: model.Payment, attempts: Sequence[model.Attempt]) -> PaymentWithAttempts:
    return PaymentWithAttempts(
        **dict(to_response(payment)),
        attempts=[
            PaymentAttempt(
                id=attempt.id,
                state=attempt.state,
                provider_reference=attempt.provider_reference,
                failure_code=attempt.failure_code,
                created_at=attempt.created_at,
                updated_at=attempt.updated_at,
            )
            for attempt in attempts
        ],
    )


@router.post(
    "",
    status_code=201,
    response_model=PaymentWithAttempts,
    summary="Make a payment",
    responses=refusals.of_writing(
        provider_unknown,
        invoice_reference_unknown,
        invoice_not_payable,
        payment_in_progress,
        currency_mismatch,
        amount_not_positive,
        amount_above_due,
    ),
)
async def create_payment(writer: Writer, body: PaymentInput, idempotent: Idempotent) -> Response:
    """The payment is stored before its provider is asked. While the provider has not answered for
    certain it stays `pending`; a repetition with the same key answers how the payment stands then.
    """
    providers = writer.wiring.payment_providers
    reserved: list[Reservation] = []

    async def start(tx: Tx) -> _Reserved:
        reserved.append(await start_payment(tx, from_request(body), providers=providers))
        return _Reserved(id=reserved[0].attempt.payment_id)

    answer = await once(writer.tx(), idempotent, work=start)
    if reserved:
        await collect_payment(writer.tx, reserved[0], providers=providers)
    payment = await _payment(writer, _Reserved.model_validate_json(bytes(answer.body)).id)
    replayed = {REPLAYED: answer.headers[REPLAYED]} if REPLAYED in answer.headers else {}
    content = payment.model_dump_json()
    return Response(content, answer.status_code, replayed, media_type="application/json")


@router.get("", summary="List payments", responses=refusals.of_listing())
async def list_payments(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    invoice_id: UUID | None = None,
    state: model.PaymentState | None = None,
) -> Page[Payment]:
    """Newest first."""
    filters = {"account_id": account_id, "invoice_id": invoice_id, "state": state}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        payments = await read_payments(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            account_id=account_id,
            invoice_id=invoice_id,
            state=state,
        )
    return _LISTING.page(
        payments,
        page,
        filters=filters,
        key=lambda payment: (payment.id,),
        to_response=to_response,
    )


@router.get(
    "/{payment_id}", summary="Get a payment", responses=refusals.of_reading(payment_unknown)
)
async def get_payment(reader: Reader, payment_id: UUID) -> PaymentWithAttempts:
    """With every request for it that was sent to its provider."""
    return await _payment(reader, payment_id)


async def _payment(authorized: Authorized, payment_id: UUID) -> PaymentWithAttempts:
    async with authorized.tx() as tx:
        payment = await payment_by_id(tx, payment_id)
        return with_attempts(payment, await attempts_of(tx, payment_id))
