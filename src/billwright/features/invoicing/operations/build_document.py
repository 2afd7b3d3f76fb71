"""What is printed on an invoice's document?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from billwright.features.invoicing.document import (
    BankAccount,
    BuyerParty,
    CreditUse,
    DocumentLine,
    DocumentStamp,
    DocumentTotals,
    InvoiceDocument,
    SellerParty,
    ServiceDays,
    TaxRow,
)
from billwright.features.invoicing.errors import invoice_without_document
from billwright.features.invoicing.model import (
    ChargeKind,
    DocumentKind,
    Invoice,
    InvoiceLine,
    InvoiceState,
)
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of, party_data
from billwright.features.invoicing.sql.reads_credit import Corrected, corrected_by_lines
from billwright.features.tax.rules.legal_note import legal_note
from billwright.features.tax.rules.territory import tax_territory
from billwright.features.tax.rules.vat_id import read_vat_id
from billwright.features.tenancy.model import Address
from billwright.kernel.calendar import local_date
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

_STAMPS = {InvoiceState.PAID: DocumentStamp.PAID, InvoiceState.VOID: DocumentStamp.VOID}


async def build_document(tx: Tx, invoice_id: UUID) -> InvoiceDocument:
    """An invoice or a credit note with seller and buyer as they were when it was finalized.

    Refuses: `invoice_unknown`, `invoice_without_document`.
    """
    invoice = await invoice_by_id(tx, invoice_id)
    seller_id, buyer_id = invoice.seller_party_id, invoice.buyer_party_id
    if invoice.number is None or invoice.issued_on is None or seller_id is None or buyer_id is None:
        raise invoice_without_document(invoice_id=invoice_id)
    parties = await party_data(tx, [seller_id, buyer_id])
    lines = await lines_of(tx, invoice_id)
    corrected = {}
    if any(line.corrects_charge_id is not None for line in lines):
        corrected = await corrected_by_lines(tx, invoice_id)
    is_note = invoice.kind is DocumentKind.CREDIT_NOTE
    numbers = dict.fromkeys(each.number for each in corrected.values() if each.number)
    settled = invoice.state in {InvoiceState.PAID, InvoiceState.VOID}
    return InvoiceDocument(
        kind=invoice.kind,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=None if settled else invoice.due_on,
        currency=invoice.currency,
        locale=invoice.locale,
        seller=_seller(parties[seller_id]),
        buyer=_buyer(parties[buyer_id]),
        lines=tuple(_line(invoice, line, corrected=corrected.get(line.id)) for line in lines),
        totals=_totals(invoice),
        service_days=_days(start=invoice.period_start, end=invoice.period_end, zone=invoice.zone),
        # A credit note is settled with its issue, which no stamp needs to say.
        stamp=None if is_note else _STAMPS.get(invoice.state),
        customer_number=str(parties[buyer_id]["customer_number"]),
        subscription_reference=invoice.reference or None,
        corrected_numbers=tuple(numbers) if is_note else (),
        credit_use=_credit_use(invoice) if is_note else None,
        note=invoice.note or None,
        payment_reference=None if is_note else invoice.number,
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


def _line(invoice: Invoice, line: InvoiceLine, *, corrected: Corrected | None) -> DocumentLine:
    includes_tax = line.tax_inclusive and line.tax_rate != 0
    return DocumentLine(
        position=line.position,
        description=line.description,
        quantity=line.quantity.normalize(),
        unit_name=line.unit_name or None,
        unit_price=None if line.unit_price is None else line.unit_price.normalize(),
        tax_rate=line.tax_rate,
        net=_shown(invoice, line.net_minor),
        gross=_shown(invoice, line.amount_minor) if includes_tax else None,
        discount=_shown(invoice, line.discount_minor) if line.discount_minor else None,
        corrected_number=corrected.number if corrected else None,
        is_unused_rest=line.kind is ChargeKind.PRORATION_CREDIT,
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
    return DocumentTotals(
        subtotal=_shown(invoice, invoice.subtotal_minor),
        taxes=tuple(
            TaxRow(tax.rate, _shown(invoice, tax.base_minor), _shown(invoice, tax.tax_minor))
            for tax in invoice.taxes
        ),
        total=_shown(invoice, invoice.total_minor),
        credit_applied=Money(invoice.credit_applied_minor, invoice.currency),
        credited=Money(invoice.credited_minor, invoice.currency),
        paid=Money(invoice.paid_minor, invoice.currency),
        amount_due=Money(invoice.due_minor, invoice.currency),
    )


def _credit_use(note: Invoice) -> CreditUse:
    to_invoice_minor = -note.total_minor - note.to_balance_minor - note.to_refund_minor
    return CreditUse(
        to_invoice=Money(to_invoice_minor, note.currency),
        to_balance=Money(note.to_balance_minor, note.currency),
        to_refund=Money(note.to_refund_minor, note.currency),
    )


def _shown(invoice: Invoice, amount_minor: int) -> Money:
    """A credit note is kept below zero, and says how much is given back."""
    sign = -1 if invoice.kind is DocumentKind.CREDIT_NOTE else 1
    return Money(sign * amount_minor, invoice.currency)
