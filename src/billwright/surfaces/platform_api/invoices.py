"""How does a platform show its customers what they owe?"""

from __future__ import annotations

import asyncio
import re
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from billwright.features.invoicing import model
from billwright.features.invoicing.errors import invoice_unknown, invoice_without_document
from billwright.features.invoicing.operations.build_document import build_document
from billwright.features.invoicing.operations.explain_invoice import explain_invoice
from billwright.features.invoicing.sql.reads import InvoiceFilter, invoice_by_id, lines_of
from billwright.features.invoicing.sql.reads import list_invoices as read_invoices
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.explanations import ExplainedLines, to_explained
from billwright.surfaces.platform_api.invoices_models import (
    Invoice,
    InvoiceWithLines,
    to_response,
    with_lines,
)
from billwright.surfaces.platform_api.list_filters import (
    CreatedAfter,
    CreatedBefore,
    DayFrom,
    DayUntil,
)
from billwright.surfaces.platform_api.versions import ETAG, etag
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/invoices", tags=["invoices"])

_LISTING = Listing("invoices", tuple[UUID])

_PDF = {
    "description": "The document.",
    "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    "headers": {
        "Content-Disposition": {
            "description": "Names the file after the invoice's number.",
            "schema": {"type": "string"},
        },
        "ETag": {
            "description": "Changes when the document does, such as by the stamp of a payment.",
            "schema": {"type": "string"},
        },
    },
}
_UNCHANGED = {"description": "The document is still the one that `If-None-Match` names."}


@router.get("", summary="List invoices", responses=refusals.of_listing())
async def list_invoices(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    subscription_id: UUID | None = None,
    state: model.InvoiceState | None = None,
    kind: model.DocumentKind | None = None,
    corrects_invoice_id: UUID | None = None,
    number: Annotated[
        str | None, Query(max_length=100, description="The document's number, as it is printed.")
    ] = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    issued_from: DayFrom = None,
    issued_until: DayUntil = None,
    due_from: DayFrom = None,
    due_until: DayUntil = None,
) -> Page[Invoice]:
    """Invoices and credit notes, newest first; with `subscription_id` those that have a line of it, with
    `corrects_invoice_id` the notes on an invoice. What is overdue is `state=open` with yesterday as
    `due_until`. Drafts have neither a number nor days.
    """
    filters: InvoiceFilter = {
        "account_id": account_id,
        "subscription_id": subscription_id,
        "state": state,
        "kind": kind,
        "corrects_invoice_id": corrects_invoice_id,
        "number": number,
        "created_after": created_after,
        "created_before": created_before,
        "issued_from": issued_from,
        "issued_until": issued_until,
        "due_from": due_from,
        "due_until": due_until,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        invoices = await read_invoices(
            tx, before=after[0] if after else None, limit=page.limit + 1, **filters
        )
    return _LISTING.page(
        invoices,
        page,
        filters=filters,
        key=lambda invoice: (invoice.id,),
        to_response=to_response,
    )


@router.get(
    "/{invoice_id}",
    summary="Get an invoice",
    responses={200: ETAG, **refusals.of_reading(invoice_unknown)},
)
async def get_invoice(reader: Reader, invoice_id: UUID, response: Response) -> InvoiceWithLines:
    """With its lines and what each tax rate makes of them."""
    async with reader.tx() as tx:
        invoice = await invoice_by_id(tx, invoice_id)
        lines = await lines_of(tx, invoice_id)
    response.headers["ETag"] = etag(invoice.version)
    return with_lines(invoice, lines)


@router.get(
    "/{invoice_id}/lines",
    summary="Explain an invoice's lines",
    responses=refusals.of_reading(invoice_unknown),
)
async def explain_lines(reader: Reader, invoice_id: UUID) -> ExplainedLines:
    """Each with all that its amount was computed from, enough to compute it again."""
    async with reader.tx() as tx:
        return to_explained(await explain_invoice(tx, invoice_id))


@router.get(
    "/{invoice_id}/pdf",
    summary="Get an invoice's document",
    response_class=Response,
    responses={
        200: _PDF,
        304: _UNCHANGED,
        **refusals.of_reading(invoice_unknown, invoice_without_document),
    },
)
async def get_invoice_pdf(
    reader: Reader,
    invoice_id: UUID,
    if_none_match: Annotated[
        str | None, Header(description="The `ETag` of a document that the caller has already.")
    ] = None,
) -> Response:
    """The same document is the same bytes, whenever it is asked for."""
    async with reader.tx() as tx:
        document = await build_document(tx, invoice_id)
    pdf = await asyncio.to_thread(reader.wiring.invoice_renderer.render, document)
    digest = f'"{sha256(pdf).hexdigest()[:32]}"'
    headers = {"ETag": digest, "Cache-Control": "private, no-cache"}
    if digest in (if_none_match or ""):
        return Response(status_code=304, headers=headers)
    file_name = re.sub(r"[^A-Za-z0-9._-]+", "-", document.number) + ".pdf"
    headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return Response(pdf, headers=headers, media_type="application/pdf")
