"""How does a seller decide what its document numbers look like?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.invoicing.errors import (
    series_number_taken,
    series_stale,
    series_template_shared,
)
from billwright.features.invoicing.events import InvoiceSeriesChanged
from billwright.features.invoicing.model import DocumentKind, InvoiceSeries, SeriesRestart
from billwright.features.invoicing.rules.number_template import check_template, make_equal_numbers
from billwright.features.invoicing.rules.numbering import (
    DEFAULT_SERIES,
    document_number,
    fiscal_year,
)
from billwright.features.invoicing.sql.reads_series import is_number_taken, list_series
from billwright.features.invoicing.sql.writes_series import carry_sequence, store_series
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import local_date
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSeries:
    """How documents of a kind are numbered from the next one on, as `check_template` describes."""

    kind: DocumentKind
    template: str
    restarts: SeriesRestart = SeriesRestart.YEARLY
    expected_revision: int | None = None


async def set_series(tx: Tx, command: SetSeries) -> InvoiceSeries:
    """The sequence goes on where it is, also when it restarts at other times than before.

    Refuses: `series_stale`, `series_template_invalid`, `series_template_shared`, `series_number_taken`.
    """
    yearly = command.restarts is SeriesRestart.YEARLY
    check_template(command.template, restarts_yearly=yearly)
    seller = await the_seller(tx)
    issued_on = local_date(tx.now, seller.zone)
    year = fiscal_year(issued_on, start_month=seller.fiscal_year_start_month)
    for other in await list_series(tx, seller, on=issued_on):
        if other.kind is not command.kind and make_equal_numbers(
            command.template, other=other.template
        ):
            raise series_template_shared(pointer="/template", template=other.template)
    series_id, revision = await store_series(
        tx,
        seller_id=seller.id,
        code=DEFAULT_SERIES[command.kind].code,
        kind=command.kind,
        template=command.template,
        restarts=command.restarts,
    )
    if command.expected_revision not in {None, revision - 1}:
        raise series_stale(expected=command.expected_revision, actual=revision - 1)
    last_sequence = await carry_sequence(
        tx, series_id=series_id, year=year, counting_year=year if yearly else 0
    )
    next_number = document_number(
        command.template, year=year, month=issued_on.month, sequence=last_sequence + 1
    )
    if await is_number_taken(tx, next_number):
        raise series_number_taken(pointer="/template", number=next_number)
    tx.publish(
        InvoiceSeriesChanged(
            subject_id=series_id,
            account_id=None,
            kind=command.kind.value,
            template=command.template,
            restarts=command.restarts.value,
        )
    )
    tx.audit(
        "invoice_series.set", subject_type="invoice_series", subject_id=series_id, details=command
    )
    return InvoiceSeries(
        kind=command.kind,
        template=command.template,
        restarts=command.restarts,
        next_number=next_number,
        revision=revision,
    )
