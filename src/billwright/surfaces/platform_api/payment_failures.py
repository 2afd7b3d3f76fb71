"""How does a platform see and steer what is done about unpaid invoices?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.dunning.errors import (
    pause_until_invalid,
    payment_failure_ended,
    payment_failure_unknown,
    payment_method_missing,
)
from billwright.features.dunning.operations.advance_case import Advanced
from billwright.features.dunning.operations.pause_dunning import (
    PauseDunning,
    pause_dunning,
    resume_dunning,
)
from billwright.features.dunning.operations.retry_payment_failure import (
    retry_payment_failure as retry_case,
)
from billwright.features.dunning.operations.write_off import WriteOff, write_off
from billwright.features.dunning.rules.case import CaseState, Origin
from billwright.features.dunning.rules.records import DunningCase, Told
from billwright.features.dunning.sql.reads import case_by_id, history_of_case, list_cases
from billwright.features.payments.errors import payment_in_progress
from billwright.features.payments.model import AttemptId
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.withdraw_waiting import withdraw_waiting
from billwright.kernel.refusal import Refusal
from billwright.kernel.state_machine import state_forbids
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Authorized, Reader, Writer
from billwright.surfaces.platform_api.dunning_policies_models import PlainDunningPolicy, to_plain
from billwright.surfaces.web.idempotency import Idempotent, IdempotentRequest, as_it_stands, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, MoneyModel, RequestModel, ResponseModel, Text

router = APIRouter(prefix="/payment-failures", tags=["dunning"])

_LISTING = Listing("payment_failures", tuple[UUID])
_MOST_TOLD = 100


class DunningPauseInput(RequestModel):
    """Until when nothing is to happen by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": "2026-03-01T00:00:00Z"}]})

    until: Instant


class WriteOffInput(RequestModel):
    """Why no more money is expected."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Insolvent"}]})

    reason: Annotated[Text, Field(description="Why; for the books.")]


class PaymentFailure(ResponseModel):
    """An invoice that was not paid, and how what is done about it stands."""

    id: UUID
    account_id: UUID
    invoice_id: UUID
    invoice_number: str
    subscription_ids: Annotated[
        list[UUID], Field(description="Those on the invoice, which are past due by it.")
    ]
    state: Annotated[
        CaseState,
        Field(description="An `exhausted` one is tried no more, and still waits for its money."),
    ]
    due: Annotated[MoneyModel, Field(description="What is still to be paid on the invoice.")]
    step: Annotated[int, Field(description="How far the schedule is; never a count of attempts.")]
    steps: Annotated[int, Field(description="How many the schedule has.")]
    attempts: Annotated[int, Field(description="How many were declined, whoever asked for them.")]
    under_way: Annotated[
        Origin | None,
        Field(description="Who asked for the attempt whose outcome is not known yet."),
    ]
    is_chargeable: Annotated[
        bool, Field(description="Whether there is a payment method that may help.")
    ]
    opened_at: Instant
    past_due_at: Annotated[Instant, Field(description="From when grace is counted.")]
    next_step_at: Annotated[Instant | None, Field(description="When the schedule goes on.")]
    next_attempt_at: Annotated[
        Instant | None,
        Field(description="The same, and null where that step would have nothing to charge."),
    ]
    paused_until: Instant | None
    ended_at: Instant | None
    version: int
    updated_at: Instant


class PaymentFailureEvent(ResponseModel):
    """One thing that happened, as the event of this type tells it."""

    at: Instant
    type: str
    data: dict[str, Any]


class PaymentFailureWithHistory(PaymentFailure):
    """With the policy that it was opened under, and what happened last, the oldest of that first."""

    policy: PlainDunningPolicy
    history: Annotated[
        list[PaymentFailureEvent], Field(description=f"The last {_MOST_TOLD} things at most.")
    ]


class _Known(ResponseModel):
    """What a repetition needs: which one was meant, not how it stood then."""

    id: UUID


def to_response(case: DunningCase) -> PaymentFailure:
    standing = case.standing
    return PaymentFailure(
        id=case.id,
        account_id=case.account_id,
        invoice_id=case.debt.invoice_id,
        invoice_number=case.debt.number,
        subscription_ids=list(case.subscription_ids),
        state=standing.state,
        due=MoneyModel.from_money(case.debt.due),
        step=standing.step,
        steps=len(case.policy.schedule),
        attempts=standing.attempts,
        under_way=standing.under_way,
        is_chargeable=standing.chargeable,
        opened_at=standing.opened_at,
        past_due_at=standing.past_due_at,
        next_step_at=standing.next_step_at,
        next_attempt_at=standing.next_attempt_at,
        paused_until=standing.paused_until,
        ended_at=standing.ended_at,
        version=case.version,
        updated_at=case.updated_at,
    )


def with_history(case: DunningCase, history: Sequence[Told]) -> PaymentFailureWithHistory:
    return PaymentFailureWithHistory(
        **dict(to_response(case)),
        policy=to_plain(case.policy),
        history=[
            PaymentFailureEvent(at=told.at, type=told.type, data=told.data) for told in history
        ],
    )


@router.get("", summary="List payment failures", responses=refusals.of_listing())
async def list_payment_failures(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    invoice_id: UUID | None = None,
    state: CaseState | None = None,
) -> Page[PaymentFailure]:
    """Newest first."""
    filters = {"account_id": account_id, "invoice_id": invoice_id, "state": state}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        cases = await list_cases(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            account_id=account_id,
            invoice_id=invoice_id,
            state=state,
        )
    return _LISTING.page(
        cases, page, filters=filters, key=lambda case: (case.id,), to_response=to_response
    )


@router.get(
    "/{payment_failure_id}",
    summary="Get a payment failure",
    responses=refusals.of_reading(payment_failure_unknown),
)
async def get_payment_failure(
    reader: Reader, payment_failure_id: UUID
) -> PaymentFailureWithHistory:
    return await _payment_failure(reader, payment_failure_id)


@router.post(
    "/{payment_failure_id}/retry",
    response_model=PaymentFailureWithHistory,
    summary="Try an unpaid invoice again now",
    responses=refusals.of_writing(
        payment_failure_unknown,
        payment_failure_ended,
        payment_in_progress,
        payment_method_missing,
    ),
)
async def retry_payment_failure(
    writer: Writer, payment_failure_id: UUID, idempotent: Idempotent
) -> Response:
    """With the account's payment method. It takes no step of the schedule. A page that the payer has
    left open is closed before; a repetition with the same key answers how things stand then.
    """

    asked = _Asked(writer, idempotent, payment_failure_id, retry_case)
    try:
        return await asked.answered()
    except Refusal as refusal:
        if refusal.code != payment_in_progress.code or not await asked.freed():
            raise
        return await asked.answered()


@router.post(
    "/{payment_failure_id}/pause",
    response_model=PaymentFailure,
    summary="Pause what is done about an unpaid invoice",
    responses=refusals.of_writing(
        payment_failure_unknown, payment_failure_ended, pause_until_invalid
    ),
)
async def pause_payment_failure(
    writer: Writer, payment_failure_id: UUID, body: DunningPauseInput, idempotent: Idempotent
) -> Response:
    """No attempt, no notice and no loss of access before then. What comes due meanwhile comes then."""

    async def pause(tx: Tx) -> PaymentFailure:
        command = PauseDunning(case_id=payment_failure_id, until=body.until)
        return to_response(await pause_dunning(tx, command))

    return await once(writer.tx(), idempotent, work=pause)


@router.post(
    "/{payment_failure_id}/resume",
    response_model=PaymentFailureWithHistory,
    summary="Resume what is done about an unpaid invoice",
    responses=refusals.of_writing(payment_failure_unknown, payment_failure_ended),
)
async def resume_payment_failure(
    writer: Writer, payment_failure_id: UUID, idempotent: Idempotent
) -> Response:
    """What has come due comes now, which may be an attempt. One that does not pause goes on as it was."""
    return await _Asked(writer, idempotent, payment_failure_id, resume_dunning).answered()


@router.post(
    "/{payment_failure_id}/write-off",
    response_model=PaymentFailure,
    summary="Give up on an unpaid invoice",
    responses=refusals.of_writing(payment_failure_unknown, state_forbids),
)
async def write_off_payment_failure(
    writer: Writer, payment_failure_id: UUID, body: WriteOffInput, idempotent: Idempotent
) -> Response:
    """The invoice becomes uncollectible, and nothing is pursued any more. Access that was restricted for
    it comes back: who wants it to end cancels the subscription.
    """

    async def give_up(tx: Tx) -> PaymentFailure:
        command = WriteOff(case_id=payment_failure_id, reason=body.reason)
        return to_response(await write_off(tx, command))

    return await once(writer.tx(), idempotent, work=give_up)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command that may reserve an attempt."""

    writer: Authorized
    idempotent: IdempotentRequest
    case_id: UUID
    command: Callable[[Tx, UUID], Awaitable[Advanced]]

    async def freed(self) -> bool:
        """Close a page that stands in the way; false when something else does."""
        async with self.writer.tx() as tx:
            invoice_id = (await case_by_id(tx, self.case_id)).debt.invoice_id
        wiring = self.writer.wiring
        return await withdraw_waiting(
            self.writer.tx, invoice_id, providers=wiring.payment_providers, box=wiring.secret_box
        )

    async def answered(self) -> Response:
        """Do it once, ask the provider when it is committed, and answer how things stand then."""
        reserved: list[AttemptId] = []

        async def work(tx: Tx) -> _Known:
            attempt_id = (await self.command(tx, self.case_id)).attempt_id
            reserved[:] = [] if attempt_id is None else [attempt_id]
            return _Known(id=self.case_id)

        answer = await once(self.writer.tx(), self.idempotent, work=work)
        wiring = self.writer.wiring
        for attempt_id in reserved:
            await collect_attempt(
                self.writer.tx,
                attempt_id,
                providers=wiring.payment_providers,
                box=wiring.secret_box,
            )
        stands = await _payment_failure(self.writer, self.case_id)
        return as_it_stands(answer, stands)


async def _payment_failure(authorized: Authorized, case_id: UUID) -> PaymentFailureWithHistory:
    async with authorized.tx() as tx:
        case = await case_by_id(tx, case_id)
        return with_history(case, await history_of_case(tx, case_id, limit=_MOST_TOLD))
