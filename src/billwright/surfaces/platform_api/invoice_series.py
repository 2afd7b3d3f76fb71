"""How does a seller's platform decide what document numbers look like?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field, StringConstraints
from starlette.responses import Response

from billwright.features.invoicing import model
from billwright.features.invoicing.errors import (
    series_number_taken,
    series_stale,
    series_template_invalid,
    series_template_shared,
)
from billwright.features.invoicing.operations import set_series as setting
from billwright.features.invoicing.sql.reads_series import list_series as read_series
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import local_date
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.wire import Choice, RequestModel, ResponseModel

router = APIRouter(prefix="/invoice-series", tags=["invoices"])


class SeriesInput(RequestModel):
    """How documents of a kind are numbered from the next one on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"template": "INV-{year}-{sequence:05d}", "restarts": "yearly"}]
        }
    )

    template: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100),
        Field(
            description="Letters, digits, spaces and `. _ / -` with `{year}`, `{year2}` (its last two "
            "digits), `{month}` (two digits) and once `{sequence}`, which may be padded: "
            "`{sequence:05d}`."
        ),
    ]
    restarts: Annotated[
        Choice[model.SeriesRestart],
        Field(description="When the sequence begins at one again; `yearly` needs a year."),
    ] = model.SeriesRestart.YEARLY


class InvoiceSeries(ResponseModel):
    """How documents of a kind are numbered, without gaps."""

    kind: model.DocumentKind
    template: str
    restarts: model.SeriesRestart
    next_number: Annotated[str, Field(description="What one would get that was made now.")]
    revision: Annotated[
        int,
        Field(
            description="Grows with every change; also the `ETag`, for `If-Match`. 0 where none was made."
        ),
    ]


class InvoiceSeriesList(ResponseModel):
    """The series of each kind of document."""

    data: list[InvoiceSeries]


def to_response(series: model.InvoiceSeries) -> InvoiceSeries:
    return InvoiceSeries(
        kind=series.kind,
        template=series.template,
        restarts=series.restarts,
        next_number=series.next_number,
        revision=series.revision,
    )


@router.get("", summary="List the series of document numbers", responses=refusals.of_reading())
async def list_invoice_series(reader: Reader) -> InvoiceSeriesList:
    async with reader.tx() as tx:
        seller = await the_seller(tx)
        series = await read_series(tx, seller, on=local_date(tx.now, seller.zone))
    return InvoiceSeriesList(data=[to_response(each) for each in series])


@router.get(
    "/{kind}",
    summary="Get a series of document numbers",
    responses={200: ETAG, **refusals.of_reading()},
)
async def get_invoice_series(
    reader: Reader, kind: model.DocumentKind, response: Response
) -> InvoiceSeries:
    async with reader.tx() as tx:
        seller = await the_seller(tx)
        every = await read_series(tx, seller, on=local_date(tx.now, seller.zone))
    [series] = [one for one in every if one.kind is kind]
    response.headers["ETag"] = etag(series.revision)
    return to_response(series)


@router.put(
    "/{kind}",
    response_model=InvoiceSeries,
    summary="Set a series of document numbers",
    responses={
        200: ETAG,
        **refusals.of_writing(
            series_stale, series_template_invalid, series_template_shared, series_number_taken
        ),
    },
)
async def set_invoice_series(
    writer: Writer,
    kind: model.DocumentKind,
    body: SeriesInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """The sequence goes on where it is. Documents that exist keep their numbers."""

    async def set_to(tx: Tx) -> InvoiceSeries:
        command = setting.SetSeries(
            kind=kind,
            template=body.template,
            restarts=body.restarts,
            expected_revision=version_of(if_match),
        )
        return to_response(await setting.set_series(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=set_to))
