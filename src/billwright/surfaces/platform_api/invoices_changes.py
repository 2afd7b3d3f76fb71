"""How does a person write, send, withdraw and credit invoices?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.accounts.errors import account_closed, account_reference_unknown
from billwright.features.invoicing.errors import (
    allocation_differs,
    allocation_negative,
    credit_above_due,
    credit_ambiguous,
    credit_line_repeated,
    credit_line_unknown,
    credit_not_positive,
    credit_too_large,
    invoice_currency_differs,
    invoice_not_creditable,
    invoice_not_voidable,
    invoice_stale,
    invoice_total_negative,
    invoice_unknown,
    invoice_without_line,
    line_period_reversed,
    line_too_large,
    nothing_to_credit,
    refund_above_paid,
)
from billwright.features.invoicing.operations import create_manual_invoice as drafting
from billwright.features.invoicing.operations import credit_invoice as crediting
from billwright.features.invoicing.operations import delete_draft as deleting
from billwright.features.invoicing.operations import finalize_invoice as finalizing
from billwright.features.invoicing.operations import mark_uncollectible as giving_up
from billwright.features.invoicing.operations import update_draft as updating
from billwright.features.invoicing.operations import void_invoice as voiding
from billwright.features.invoicing.sql.reads import lines_of
from billwright.features.payments.operations.apply_new_credit import credit_and_apply
from billwright.features.tax.errors import tax_rate_unknown
from billwright.kernel.state_machine import state_forbids
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer
from billwright.surfaces.platform_api.invoices_inputs import (
    CreditNoteInput,
    DraftUpdateInput,
    EndInput,
    ManualInvoiceInput,
)
from billwright.surfaces.platform_api.invoices_models import (
    Invoice,
    InvoiceWithLines,
    to_response,
    with_lines,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once

router = APIRouter(prefix="/invoices", tags=["invoices"])

_LINE_REFUSALS = (
    invoice_without_line,
    invoice_total_negative,
    line_too_large,
    line_period_reversed,
    tax_rate_unknown,
)


@router.post(
    "",
    status_code=201,
    response_model=InvoiceWithLines,
    summary="Draft an invoice",
    responses={
        201: ETAG,
        **refusals.of_writing(account_reference_unknown, account_closed, *_LINE_REFUSALS),
    },
)
async def create_invoice(
    writer: Writer, body: ManualInvoiceInput, idempotent: Idempotent
) -> Response:
    """It is a draft, with the tax that it would have today, until it is finalized."""

    async def create(tx: Tx) -> InvoiceWithLines:
        drafted = await drafting.create_manual_invoice(tx, body.to_command())
        return with_lines(drafted, await lines_of(tx, drafted.id))

    return with_etag(await once(writer.tx(), idempotent, work=create))


@router.patch(
    "/{invoice_id}",
    response_model=InvoiceWithLines,
    summary="Change a draft",
    responses={
        200: ETAG,
        **refusals.of_writing(invoice_unknown, invoice_stale, state_forbids, *_LINE_REFUSALS),
    },
)
async def update_draft(
    writer: Writer,
    invoice_id: UUID,
    body: DraftUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What is finalized does not change any more."""

    async def update(tx: Tx) -> InvoiceWithLines:
        command = body.to_command(invoice_id, expected_version=version_of(if_match))
        updated = await updating.update_draft(tx, command)
        return with_lines(updated, await lines_of(tx, updated.id))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.delete(
    "/{invoice_id}",
    status_code=204,
    summary="Delete a draft",
    responses=refusals.of_writing(invoice_unknown, invoice_stale, state_forbids),
)
async def delete_draft(
    writer: Writer, invoice_id: UUID, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """What a person wrote is gone; what subscriptions owe waits for the account's next invoice."""

    async def delete(tx: Tx) -> None:
        await deleting.delete_draft(tx, invoice_id, expected_version=version_of(if_match))

    return await once(writer.tx(), idempotent, work=delete)


@router.post(
    "/{invoice_id}/finalize",
    response_model=InvoiceWithLines,
    summary="Finalize a draft",
    responses={
        200: ETAG,
        **refusals.of_writing(invoice_unknown, invoice_stale, state_forbids, tax_rate_unknown),
    },
)
async def finalize_invoice(
    writer: Writer, invoice_id: UUID, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """It gets its number, date, parties and tax; the account's credit pays what it can. A finalized
    invoice stays as it is.
    """

    async def finalize(tx: Tx) -> InvoiceWithLines:
        finalized = await finalizing.finalize_invoice(
            tx, invoice_id, expected_version=version_of(if_match)
        )
        return with_lines(finalized, await lines_of(tx, finalized.id))

    return with_etag(await once(writer.tx(), idempotent, work=finalize))


@router.post(
    "/{invoice_id}/void",
    response_model=Invoice,
    summary="Void an invoice",
    responses={
        200: ETAG,
        **refusals.of_writing(invoice_unknown, state_forbids, invoice_not_voidable),
    },
)
async def void_invoice(
    writer: Writer, invoice_id: UUID, body: EndInput, idempotent: Idempotent
) -> Response:
    """For an invoice that should not have been sent, and on which no money has come: nothing is owed
    by it, and the same may be charged again. It keeps its number.
    """

    async def void(tx: Tx) -> Invoice:
        command = voiding.VoidInvoice(invoice_id=invoice_id, reason=body.reason)
        return to_response(await voiding.void_invoice(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=void))


@router.post(
    "/{invoice_id}/uncollectible",
    response_model=Invoice,
    summary="Mark an invoice as uncollectible",
    responses={200: ETAG, **refusals.of_writing(invoice_unknown, state_forbids)},
)
async def mark_uncollectible(
    writer: Writer, invoice_id: UUID, body: EndInput, idempotent: Idempotent
) -> Response:
    """It stays owed, and can still be credited."""

    async def give_up(tx: Tx) -> Invoice:
        command = giving_up.MarkUncollectible(invoice_id=invoice_id, reason=body.reason)
        return to_response(await giving_up.mark_uncollectible(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=give_up))


@router.post(
    "/{invoice_id}/credit-notes",
    status_code=201,
    response_model=InvoiceWithLines,
    summary="Issue a credit note",
    responses={
        201: ETAG,
        **refusals.of_writing(
            invoice_unknown,
            state_forbids,
            account_closed,
            invoice_not_creditable,
            invoice_currency_differs,
            nothing_to_credit,
            credit_ambiguous,
            credit_line_unknown,
            credit_line_repeated,
            credit_not_positive,
            credit_too_large,
            allocation_negative,
            allocation_differs,
            credit_above_due,
            refund_above_paid,
        ),
    },
)
async def create_credit_note(
    writer: Writer, invoice_id: UUID, body: CreditNoteInput, idempotent: Idempotent
) -> Response:
    """The answer is the note, whose amounts are negative; all notes on an invoice sum to it exactly. What
    it gives back of a closed account's invoice is refunded, since that account takes no credit.
    """

    async def credit(tx: Tx) -> InvoiceWithLines:
        operation = credit_and_apply if body.apply_to_open_invoices else crediting.credit_invoice
        note = await operation(tx, body.to_command(invoice_id))
        return with_lines(note, await lines_of(tx, note.id))

    return with_etag(await once(writer.tx(), idempotent, work=credit))
