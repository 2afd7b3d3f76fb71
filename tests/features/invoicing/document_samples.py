"""Which documents do the document tests print?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billwright.features.invoicing.document import (
    BankAccount,
    BuyerParty,
    CreditUse,
    DocumentLine,
    DocumentTotals,
    InvoiceDocument,
    SellerParty,
    ServiceDays,
    TaxRow,
)
from billwright.features.invoicing.model import DocumentKind
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


def sample_credit_note(*, locale: str = "en") -> InvoiceDocument:
    """Of an invoice of 119.00, of which 19.00 were due: what is due is offset, the rest divided."""
    document = sample_document(locale=locale, nets=(10000,))
    currency = document.currency
    return replace(
        document,
        kind=DocumentKind.CREDIT_NOTE,
        number="CN-2026-0003",
        corrected_numbers=("INV-2026-0041",),
        due_on=None,
        payment_terms=None,
        payment_reference=None,
        stamp=None,
        note="We are sorry for the outage in November.",
        totals=replace(document.totals, amount_due=Money.zero(currency)),
        credit_use=CreditUse(
            to_invoice=Money(1900, currency),
            to_balance=Money(6000, currency),
            to_refund=Money(4000, currency),
        ),
    )


def sample_inclusive_document(*, locale: str = "en") -> InvoiceDocument:
    """Two seats at 59.50 with 19 % in it, less 19.00: 100.00, of which 84.03 are net and 15.97 tax."""
    document = sample_document(locale=locale, nets=(8403,))
    line, currency = document.lines[0], document.currency
    totals = document.totals
    return replace(
        document,
        lines=(
            replace(
                line,
                quantity=Decimal(2),
                unit_price=Decimal("59.50"),
                discount=Money(1900, currency),
                gross=Money(10000, currency),
            ),
        ),
        totals=replace(
            totals,
            taxes=(replace(totals.taxes[0], tax=Money(1597, currency)),),
            total=Money(10000, currency),
            credit_applied=Money(2500, currency),
            credited=Money(1000, currency),
            paid=Money(1500, currency),
            amount_due=Money(5000, currency),
        ),
    )


def with_description(document: InvoiceDocument, description: str) -> InvoiceDocument:
    first, *others = document.lines
    return replace(document, lines=(replace(first, description=description), *others))
