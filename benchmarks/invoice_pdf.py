"""How many invoices does one process print in a second?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from time import perf_counter

import typst

from benchmarks.results import Row, rate
from billwright.features.invoicing.document import (
    BuyerParty,
    DocumentKind,
    DocumentLine,
    DocumentTotals,
    InvoiceDocument,
    SellerParty,
    ServiceDays,
    TaxRow,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer

_EUR = currency_of("EUR")
_NOVEMBER = ServiceDays(date(2026, 11, 1), date(2026, 11, 30))
_TAX_RATE = Decimal("0.19")


def invoice_pdf(*, warm_seconds: float, seconds: float) -> Row:
    """Different invoices of four lines; what comes before printing, the database, is left out."""
    renderer = TypstInvoiceRenderer()
    numbers = count(1)
    value = _per_second(
        lambda: renderer.render(_document(next(numbers))), warm=warm_seconds, seconds=seconds
    )
    # A different word each time, because Typst remembers what it has set before.
    words = count(1)
    compiler = typst.Compiler(
        Path(__file__).with_name("word.typ"), font_paths=typst.Fonts(include_system_fonts=False)
    )
    ceiling = _per_second(
        lambda: compiler.compile(format="pdf", sys_inputs={"word": f"word {next(words)}"}),
        warm=warm_seconds,
        seconds=seconds,
    )
    return rate(
        "invoice pdf",
        value,
        unit="documents/s",
        ceiling=ceiling,
        ceiling_name="Typst with one word",
    )


def _per_second(make: Callable[[], object], *, warm: float, seconds: float) -> float:
    _made_within(make, warm)
    started = perf_counter()
    made = _made_within(make, seconds)
    return made / (perf_counter() - started)


def _made_within(make: Callable[[], object], seconds: float) -> int:
    until = perf_counter() + seconds
    made = 0
    while perf_counter() < until:
        make()
        made += 1
    return made


def _document(number: int) -> InvoiceDocument:
    lines = tuple(
        _line(position, Money(1000 * position + number, _EUR)) for position in range(1, 5)
    )
    subtotal = sum((line.net for line in lines), Money.zero(_EUR))
    tax = Money(subtotal.amount_minor * 19 // 100, _EUR)
    return InvoiceDocument(
        kind=DocumentKind.INVOICE,
        number=f"INV-2026-{number:06}",
        issued_on=date(2026, 11, 30),
        due_on=date(2026, 12, 14),
        currency=_EUR,
        locale="en",
        seller=SellerParty(
            name="Example Cloud GmbH",
            address_lines=("Beispielstraße 12", "10115 Berlin"),
            country="DE",
            vat_id="DE123456789",
            email="billing@example.com",
        ),
        buyer=BuyerParty(
            name=f"Customer {number}",
            address_lines=("221 Example Street", "London N1 9GU"),
            country="GB",
        ),
        lines=lines,
        totals=DocumentTotals(
            subtotal=subtotal,
            taxes=(TaxRow(rate=_TAX_RATE, base=subtotal, tax=tax),),
            total=subtotal + tax,
            paid=Money.zero(_EUR),
            amount_due=subtotal + tax,
        ),
        service_days=_NOVEMBER,
        subscription_reference=f"SUB-{number:06}",
        payment_reference=f"INV-2026-{number:06}",
    )


def _line(position: int, net: Money) -> DocumentLine:
    return DocumentLine(
        position=position,
        description=f"Team: component {position}",
        quantity=Decimal(1),
        unit_name="seat",
        unit_price=net.to_decimal(),
        tax_rate=_TAX_RATE,
        net=net,
        service_days=_NOVEMBER,
    )
