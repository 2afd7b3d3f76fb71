"""How does a platform ask for money, say that it has come, or stop waiting for it?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.invoicing.errors import invoice_not_payable, invoice_reference_unknown
from billwright.features.payment_providers.errors import provider_unknown
from billwright.features.payment_providers.model import AttemptState, Decline, PaymentMethod
from billwright.features.payments import model
from billwright.features.payments.errors import (
    amount_above_due,
    amount_not_positive,
    currency_mismatch,
    outcome_known,
    payment_in_progress,
    payment_method_elsewhere,
    payment_method_unknown_here,
    payment_not_cancelable,
    payment_unknown,
)
from billwright.features.payments.operations.cancel_payment import (
    cancel_payment as stop_waiting_for,
)
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.conclude_attempt import (
    ConcludeAttempt,
    Outcome,
    conclude_attempt,
)
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.operations.withdraw_waiting import withdraw_waiting
from billwright.features.payments.sql.reads import PaymentFilter, attempts_of, payment_by_id
from billwright.features.payments.sql.reads import list_payments as read_payments
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Authorized, Reader, Writer
from billwright.surfaces.platform_api.list_filters import CreatedAfter, CreatedBefore
from billwright.surfaces.web.idempotency import Idempotent, as_it_stands, once
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
    """Money for an invoice: at most what is due on it, unless it has come already."""

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
        Code | None,
        Field(
            description="Who moves the money; `manual` is money that a person has seen. Left out, it is "
            "the provider that keeps the payment method, or `manual` where none is named."
        ),
    ] = None
    payment_method_id: Annotated[
        Identifier | None,
        Field(
            description="One of the account's payment methods; left out, a provider that keeps the "
            "account's default collects with that."
        ),
    ] = None
    method: Annotated[
        Choice[PaymentMethod],
        Field(description="How the money moved; a payment method that is used says it itself."),
    ] = PaymentMethod.BANK_TRANSFER
    reference: Annotated[Text | None, Field(description="What the payer wrote.")] = None
    received_on: Annotated[
        CalendarDate | None, Field(description="The day on which the money was seen.")
    ] = None


class ConclusionInput(RequestModel):
    """How a payment ended of which its provider does not tell."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"outcome": "succeeded", "note": "Seen in the provider's dashboard."}]
        }
    )

    outcome: Choice[Outcome]
    note: Annotated[Text, Field(description="Where that was seen; for the books.")]


class PaymentAttempt(ResponseModel):
    """One request to the provider; `unknown` is a call without an answer, which is asked for."""

    id: UUID
    state: AttemptState
    channel: Annotated[
        model.Channel,
        Field(description="The provider collects with a method that it knows, or shows a page."),
    ]
    provider_reference: str | None
    failure_code: Annotated[str | None, Field(description="The provider's own word.")]
    decline: Annotated[
        Decline | None,
        Field(description="Whether another attempt with the same method can help (`soft`) or not."),
    ]
    expires_at: Annotated[
        Instant | None,
        Field(description="Until when a page, or a confirmation, waits for the payer."),
    ]
    created_at: Instant
    updated_at: Instant


class Payment(ResponseModel):
    """Money for one invoice."""

    id: UUID
    account_id: UUID
    invoice_id: UUID
    provider: str
    method: PaymentMethod
    state: model.PaymentState
    origin: Annotated[
        model.Origin,
        Field(
            description="Who asked for it: somebody through the API (`requested`), the due date, "
            "dunning, or the payer on a page."
        ),
    ]
    payment_method_id: Annotated[
        UUID | None, Field(description="The account's payment method that it is collected with.")
    ]
    amount: Annotated[MoneyModel, Field(description="What was asked for.")]
    captured: Annotated[MoneyModel, Field(description="What has come.")]
    unapplied: Annotated[
        MoneyModel,
        Field(description="The part for which nothing was due any more; it became account credit."),
    ]
    refunded: Annotated[
        MoneyModel, Field(description="What was given back, or is on its way back.")
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
        payment_method_id=body.payment_method_id,
    )


def to_response(payment: model.Payment) -> Payment:
    currency = payment.amount.currency

    def money(amount_minor: int) -> MoneyModel:
        return MoneyModel.from_money(Money(amount_minor, currency))

    return Payment(
        id=payment.id,
        account_id=payment.account_id,
        invoice_id=payment.invoice_id,
        provider=payment.provider,
        method=payment.method,
        state=payment.state,
        origin=payment.origin,
        payment_method_id=payment.saved_method_id,
        amount=MoneyModel.from_money(payment.amount),
        captured=money(payment.captured_minor),
        unapplied=money(payment.unapplied_minor),
        refunded=money(payment.refunded_minor),
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
                channel=attempt.channel,
                provider_reference=attempt.provider_reference,
                failure_code=attempt.failure_code,
                decline=attempt.decline,
                expires_at=attempt.page_expires_at,
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
        payment_method_unknown_here,
        payment_method_elsewhere,
    ),
)
async def create_payment(writer: Writer, body: PaymentInput, idempotent: Idempotent) -> Response:
    """The payment is stored before its provider is asked. While the provider has not answered for
    certain it stays `pending`; a repetition with the same key answers how the payment stands then.

    A page on which the payer could pay the same invoice is closed first. Money that a person has seen
    (`manual`) may be more than is due, and for an invoice that is settled: what finds nothing due
    becomes credit of the account.
    """
    providers, box = writer.wiring.payment_providers, writer.wiring.secret_box
    reserved: list[model.Attempt] = []

    async def start(tx: Tx) -> _Reserved:
        reserved[:] = [await start_payment(tx, from_request(body), providers=providers)]
        return _Reserved(id=reserved[0].payment_id)

    try:
        answer = await once(writer.tx(), idempotent, work=start)
    except Refusal as refusal:
        if refusal.code != payment_in_progress.code or not await withdraw_waiting(
            writer.tx, body.invoice_id, providers=providers, box=box
        ):
            raise
        answer = await once(writer.tx(), idempotent, work=start)
    for attempt in reserved:
        await collect_attempt(writer.tx, attempt.id, providers=providers, box=box)
    return await _as_it_stands(writer, answer)


@router.post(
    "/{payment_id}/cancel",
    response_model=PaymentWithAttempts,
    summary="Stop waiting for a payer",
    responses=refusals.of_writing(payment_unknown, payment_not_cancelable),
)
async def cancel_payment(writer: Writer, payment_id: UUID, idempotent: Idempotent) -> Response:
    """Closes the page of a payment, or withdraws one that its payer has to confirm. What may have moved
    money is not canceled.
    """
    answer = await once(writer.tx(), idempotent, work=_naming(payment_id))
    await stop_waiting_for(
        writer.tx,
        payment_id,
        providers=writer.wiring.payment_providers,
        box=writer.wiring.secret_box,
    )
    return await _as_it_stands(writer, answer)


@router.post(
    "/{payment_id}/conclude",
    response_model=PaymentWithAttempts,
    summary="Say how a payment ended",
    responses=refusals.of_writing(payment_unknown, outcome_known),
)
async def conclude_payment(
    writer: Writer, payment_id: UUID, body: ConclusionInput, idempotent: Idempotent
) -> Response:
    """Only for a payment of which its provider does not tell what became of it."""

    async def work(tx: Tx) -> PaymentWithAttempts:
        command = ConcludeAttempt(payment_id=payment_id, outcome=body.outcome, note=body.note)
        concluded = await conclude_attempt(tx, command, box=writer.wiring.secret_box)
        return with_attempts(concluded, await attempts_of(tx, payment_id))

    return await once(writer.tx(), idempotent, work=work)


@router.get("", summary="List payments", responses=refusals.of_listing())
async def list_payments(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    invoice_id: UUID | None = None,
    state: model.PaymentState | None = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
) -> Page[Payment]:
    """Newest first."""
    filters: PaymentFilter = {
        "account_id": account_id,
        "invoice_id": invoice_id,
        "state": state,
        "created_after": created_after,
        "created_before": created_before,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        payments = await read_payments(
            tx, before=after[0] if after else None, limit=page.limit + 1, **filters
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


def _naming(payment_id: UUID) -> Callable[[Tx], Awaitable[_Reserved]]:
    """What a repetition of a command needs that asks a provider: which payment it is about."""

    async def named(tx: Tx) -> _Reserved:
        return _Reserved(id=(await payment_by_id(tx, payment_id)).id)

    return named


async def _as_it_stands(writer: Authorized, answer: Response) -> Response:
    payment = await _payment(writer, _Reserved.model_validate_json(bytes(answer.body)).id)
    return as_it_stands(answer, payment)


async def _payment(authorized: Authorized, payment_id: UUID) -> PaymentWithAttempts:
    async with authorized.tx() as tx:
        payment = await payment_by_id(tx, payment_id)
        return with_attempts(payment, await attempts_of(tx, payment_id))
