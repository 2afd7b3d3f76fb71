"""Which number does a document get?"""

from __future__ import annotations

from datetime import date

DEFAULT_SERIES = "INV"
DEFAULT_TEMPLATE = "INV-{year}-{sequence:05d}"


def fiscal_year(issued_on: date, *, start_month: int) -> int:
    """The fiscal year of a day, named by the calendar year in which it begins."""
    return issued_on.year if issued_on.month >= start_month else issued_on.year - 1


def document_number(template: str, *, year: int, sequence: int) -> str:
    """The number as it is printed; `template` knows `year` and `sequence`."""
    return template.format(year=year, sequence=sequence)
