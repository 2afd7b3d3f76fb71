"""What is printed on an invoice's document?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from billwright.features.invoicing.document import (
    BankAccount,
    BuyerParty,
    DocumentKind,
    DocumentLine,
    DocumentStamp,
    DocumentTotals,
    InvoiceDocument,
    SellerParty,
    ServiceDays,
    TaxRow,
)
from billwright.features.invoicing.errors import invoice_without_document
from billwright.features.invoicing.model import Invoice, InvoiceLine, InvoiceState
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of, party_data
from billwright.features.tax.rules.legal_note import legal_note
from billwright.features.tax.rules.territory import tax_territory
from billwright.features.tax.rules.vat_id import read_vat_id
from billwright.features.tenancy.model import Address
from billwright.kernel.calendar import local_date
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

_STAMPS = {InvoiceState.PAID: DocumentStamp.PAID, InvoiceState.VOID: DocumentStamp.VOID}


async def build_document(tx: Tx, invoice_id: UUID) -> InvoiceDocument:
    """An invoice with seller and buyer as they were when it was finalized.

    Refuses: `invoice_unknown`, `invoice_without_document`.
    """
    invoice = await invoice_by_id(tx, invoice_id)
    if invoice.number is None or invoice.issued_on is None:
        raise invoice_without_document(invoice_id=invoice_id)
    parties = await party_data(tx, [invoice.seller_party_id, invoice.buyer_party_id])
    buyer = parties[invoice.buyer_party_id]
    return InvoiceDocument(
        kind=DocumentKind.INVOICE,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=None if invoice.state is InvoiceState.PAID else invoice.due_on,
        currency=invoice.currency,
        locale=invoice.locale,
        seller=_seller(parties[invoice.seller_party_id]),
        buyer=_buyer(buyer),
        lines=tuple(_line(invoice, line) for line in await lines_of(tx, invoice_id)),
        totals=_totals(invoice),
        service_days=_days(start=invoice.period_start, end=invoice.period_end, zone=invoice.zone),
        stamp=_STAMPS.get(invoice.state),
        customer_number=str(buyer["customer_number"]),
        subscription_reference=invoice.reference or None,
        payment_reference=invoice.number,
        tax_note=legal_note(invoice.tax_note, locale=invoice.locale) if invoice.tax_note else None,
    )


def _seller(data: dict[str, Any]) -> SellerParty:
    address = msgspec.convert(data["address"], Address)
    bank = None
    if data["iban"]:
        bank = BankAccount(
            data["name"], data["iban"], data["bank_name"] or None, data["bic"] or None
        )
    return SellerParty(
        name=data["name"],
        address_lines=_address_lines(address),
        country=address.country,
        vat_id=data["tax_id"] or None,
        tax_number=data["tax_number"] or None,
        email=data["email"] or None,
        phone=data["phone"] or None,
        website=data["website"] or None,
        bank=bank,
        register_info=data["register"] or None,
        footer_note=data["legal_note"] or None,
    )


def _buyer(data: dict[str, Any]) -> BuyerParty:
    address = msgspec.convert(data["address"], Address)
    tax_id = data["tax_id"]
    vat_id = read_vat_id(tax_id, country=tax_territory(address)) if tax_id else None
    return BuyerParty(
        name=data["name"],
        address_lines=_address_lines(address),
        country=address.country,
        vat_id=vat_id.number if vat_id else tax_id,
        reference=data["reference"],
    )


def _address_lines(address: Address) -> tuple[str, ...]:
    city = f"{address.postal_code} {address.city}".strip()
    return tuple(line for line in (address.line1, address.line2, city, address.region) if line)


def _line(invoice: Invoice, line: InvoiceLine) -> DocumentLine:
    net = Money(line.amount_minor, invoice.currency)
    return DocumentLine(
        position=line.position,
        description=line.description,
        quantity=line.quantity.normalize(),
        unit_name=line.unit_name or None,
        unit_price=None if line.unit_price is None else line.unit_price.normalize(),
        tax_rate=line.tax_rate,
        net=net,
        service_days=_days(start=line.period_start, end=line.period_end, zone=invoice.zone),
    )


def _days(*, start: datetime | None, end: datetime | None, zone: str) -> ServiceDays | None:
    """The days of a half-open period. Where it ends, the next begins: that day is the next one's, so
    that the days on consecutive invoices tile as the periods do.
    """
    if start is None or end is None:
        return None
    first, last = local_date(start, zone), local_date(end, zone) - timedelta(days=1)
    return ServiceDays(first, max(first, last))


def _totals(invoice: Invoice) -> DocumentTotals:
    def money(amount_minor: int) -> Money:
        return Money(amount_minor, invoice.currency)

    return DocumentTotals(
        subtotal=money(invoice.subtotal_minor),
        taxes=tuple(
            TaxRow(tax.rate, money(tax.base_minor), money(tax.tax_minor)) for tax in invoice.taxes
        ),
        total=money(invoice.total_minor),
        paid=money(invoice.paid_minor),
        amount_due=money(invoice.due_minor),
    )
