"""What happens to invoices on their last day to pay, and after it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.collect_invoices import (
    claim_invoices_to_collect,
    reschedule_collection,
)
from billwright.features.invoicing.rules.collect_at import overdue_from
from billwright.features.payment_methods.sql.reads import chargeable_defaults
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.events import InvoiceOverdue
from billwright.features.payments.model import AttemptId, Origin
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.reserve_collection import (
    reserve_collection,
    reserve_collections,
)
from billwright.features.payments.operations.withdraw_waiting import withdraw_waiting
from billwright.features.payments.rules.due_invoice import DueStep, due_step
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox
from billwright.runtime.together import together

BATCH_SIZE = 100
_AT_A_TIME = 10
_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a batch has left to do after its commit, when providers are asked."""

    invoices: int
    reserved: Sequence[AttemptId]
    waiting: Sequence[UUID]


async def collect_due_invoices(
    open_tx: OpenTx,
    *,
    as_of: datetime,
    test_clock_id: UUID | None,
    providers: PaymentProviders,
    box: SecretBox,
) -> int:
    """Collect what is due on a batch of invoices with the methods that accounts have left; how many
    invoices there were. Without a method, its payer has the whole of the last day; after it, the
    invoice is overdue.

    Running it again finds nothing, and two workers share the invoices.
    """
    async with open_tx() as tx:
        taken = await _take(tx, as_of=as_of, test_clock_id=test_clock_id)

    async def collect(attempt_id: UUID) -> None:
        await collect_attempt(open_tx, attempt_id, providers=providers, box=box)

    async def withdraw_and_collect(invoice_id: UUID) -> None:
        if not await withdraw_waiting(open_tx, invoice_id, providers=providers, box=box):
            return
        async with open_tx() as tx:
            reserved = await reserve_collection(tx, invoice_id, origin=Origin.AUTOMATIC)
        if reserved is not None:
            await collect(reserved)

    await together(collect, taken.reserved, at_a_time=_AT_A_TIME)
    await together(withdraw_and_collect, taken.waiting, at_a_time=_AT_A_TIME)
    return taken.invoices


async def _take(tx: Tx, *, as_of: datetime, test_clock_id: UUID | None) -> _Taken:
    invoices = await claim_invoices_to_collect(
        tx, as_of=as_of, test_clock_id=test_clock_id, limit=BATCH_SIZE
    )
    if not invoices:
        return _Taken(0, (), ())
    live = await live_attempts_of(tx, [invoice.id for invoice in invoices])
    payers = await chargeable_defaults(tx, [invoice.account_id for invoice in invoices])
    by_step: dict[DueStep, list[Invoice]] = {step: [] for step in DueStep}
    for invoice in invoices:
        step = due_step(
            invoice,
            live=live.get(invoice.id),
            has_method=invoice.account_id in payers,
            now=as_of,
        )
        by_step[step].append(invoice)
    reserved = await reserve_collections(tx, by_step[DueStep.COLLECT], origin=Origin.AUTOMATIC)
    await reschedule_collection(tx, _next_instants(by_step, as_of=as_of))
    for invoice in by_step[DueStep.OVERDUE]:
        tx.publish(
            InvoiceOverdue(
                subject_id=invoice.id,
                account_id=invoice.account_id,
                number=invoice.number or "",
                currency=invoice.currency.code,
                due_minor=invoice.due_minor,
            )
        )
    waiting = [invoice.id for invoice in by_step[DueStep.MAKE_WAY]]
    return _Taken(len(invoices), list(reserved.values()), waiting)


def _next_instants(
    by_step: Mapping[DueStep, Sequence[Invoice]], *, as_of: datetime
) -> dict[UUID, datetime | None]:
    """When each is looked at again; what is collected or overdue is pursued by others."""
    instants: dict[UUID, datetime | None] = {}
    for step, invoices in by_step.items():
        for invoice in invoices:
            match step:
                case DueStep.MAKE_WAY | DueStep.LOOK_AGAIN:
                    instants[invoice.id] = as_of + _AGAIN_AFTER
                case DueStep.LEAVE_TO_PAYER if invoice.due_on is not None:
                    instants[invoice.id] = overdue_from(invoice.due_on, zone=invoice.zone)
                case _:
                    instants[invoice.id] = None
    return instants
