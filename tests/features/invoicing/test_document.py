"""Which documents may exist?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billwright.features.invoicing.document import ServiceDays
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from tests.features.invoicing.document_samples import sample_document


def test_a_document_that_adds_up_exists():
    assert sample_document(nets=(100, 200)).totals.subtotal.amount_minor == 300


def test_lines_must_add_up_to_the_subtotal():
    document = sample_document()
    with pytest.raises(ValueError, match="lines do not add up"):
        replace(document, lines=document.lines[:1])


def test_subtotal_and_taxes_must_make_the_total():
    document = sample_document()
    total = document.totals.total + Money(1, document.currency)
    with pytest.raises(ValueError, match="do not make the total"):
        replace(document, totals=replace(document.totals, total=total))


def test_one_currency_only():
    document = sample_document()
    foreign = Money(0, currency_of("USD"))
    with pytest.raises(ValueError, match="mixes currencies"):
        replace(document, totals=replace(document.totals, paid=foreign))


def test_service_days_do_not_run_backward():
    with pytest.raises(ValueError, match="end before they begin"):
        ServiceDays(date(2026, 11, 2), date(2026, 11, 1))
