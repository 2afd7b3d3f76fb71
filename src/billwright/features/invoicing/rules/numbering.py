"""Which number does a document get?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from billwright.features.invoicing.model import DocumentKind


@dataclass(frozen=True, slots=True)
class DefaultSeries:
    """How the documents of a kind are numbered until a person says otherwise."""

    code: str
    template: str


# In the order in which their rows are locked.
DEFAULT_SERIES: Final = {
    DocumentKind.INVOICE: DefaultSeries("INV", "INV-{year}-{sequence:05d}"),
    DocumentKind.CREDIT_NOTE: DefaultSeries("CN", "CN-{year}-{sequence:05d}"),
}


def fiscal_year(issued_on: date, *, start_month: int) -> int:
    """The fiscal year of a day, named by the calendar year in which it begins."""
    return issued_on.year if issued_on.month >= start_month else issued_on.year - 1


def document_number(template: str, *, year: int, month: int, sequence: int) -> str:
    """The number as it is printed. `template` knows `year`, `year2` (its last two digits), `month` (two
    digits) and `sequence`; the year is the fiscal one, the month that of the document's day.
    """
    return template.format(
        year=year, year2=f"{year % 100:02d}", month=f"{month:02d}", sequence=sequence
    )
