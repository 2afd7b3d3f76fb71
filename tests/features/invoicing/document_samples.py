"""Which documents do the document tests print?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billwright.features.invoicing.document import (
    BankAccount,
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

SELLER = SellerParty(
    name="Example Cloud GmbH",
    address_lines=("Beispielstraße 12", "10115 Berlin"),
    country="DE",
    vat_id="DE123456789",
    tax_number="30/123/45678",
    email="billing@example.com",
    phone="+49 30 1234567",
    website="www.example.com",
    bank=BankAccount(
        holder="Example Cloud GmbH",
        iban="DE89370400440532013000",
        bank_name="Musterbank",
        bic="COBADEFFXXX",
    ),
    register_info="Amtsgericht Berlin HRB 123456",
    footer_note="Geschäftsführung: Erika Mustermann",
)
BUYER = BuyerParty(
    name="Sample Studio Ltd",
    address_lines=("221 Example Street", "London N1 9GU"),
    country="GB",
    contact="Jane Sample",
    vat_id="GB123456789",
    reference="PO-118",
)


def sample_line(position: int, net: Money) -> DocumentLine:
    return DocumentLine(
        position=position,
        description=f"Team plan {position}",
        detail="Billed in advance",
        quantity=Decimal(1),
        unit_name="seat",
        unit_price=net.to_decimal(),
        tax_rate=Decimal("0.19"),
        net=net,
        service_days=ServiceDays(date(2026, 11, 1), date(2026, 11, 30)),
    )


def sample_document(
    *, code: str = "EUR", locale: str = "en", nets: tuple[int, ...] = (123450, -950)
) -> InvoiceDocument:
    """One line for each net amount, taxed at 19 %."""
    currency = currency_of(code)
    subtotal = Money(sum(nets), currency)
    tax = Money(subtotal.amount_minor * 19 // 100, currency)
    return InvoiceDocument(
        kind=DocumentKind.INVOICE,
        number="INV-2026-0042",
        issued_on=date(2026, 11, 22),
        due_on=date(2026, 12, 6),
        currency=currency,
        locale=locale,
        seller=SELLER,
        buyer=BUYER,
        lines=tuple(
            sample_line(position, Money(net, currency))
            for position, net in enumerate(nets, start=1)
        ),
        totals=DocumentTotals(
            subtotal=subtotal,
            taxes=(TaxRow(rate=Decimal("0.19"), base=subtotal, tax=tax),),
            total=subtotal + tax,
            paid=Money.zero(currency),
            amount_due=subtotal + tax,
        ),
        service_days=ServiceDays(date(2026, 11, 1), date(2026, 11, 30)),
        customer_number="C-10234",
        subscription_reference="SUB-7731",
        payment_terms="Payable within 14 days.",
        payment_reference="INV-2026-0042",
    )


def with_description(document: InvoiceDocument, description: str) -> InvoiceDocument:
    first, *others = document.lines
    return replace(document, lines=(replace(first, description=description), *others))
