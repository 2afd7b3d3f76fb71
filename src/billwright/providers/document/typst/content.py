"""What does the template get to see of a document?

Finished strings in reading order and nothing else: the template decides where they stand, never what
they say.
"""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

from babel import Locale
from babel.dates import format_date

from billwright.features.invoicing.document import (
    BankAccount,
    CreditUse,
    DocumentLine,
    DocumentStamp,
    InvoiceDocument,
    SellerParty,
    ServiceDays,
)
from billwright.features.invoicing.model import DocumentKind
from billwright.kernel.money import Money
from billwright.providers.document.typst.formats import (
    amount_text,
    days_text,
    plain_amount_text,
    price_text,
    quantity_text,
    rate_text,
)
from billwright.providers.document.typst.texts import DocumentTexts, language_of

Content: TypeAlias = "str | int | bool | list[Content] | dict[str, Content] | None"

# A line item taller than this may break across pages; a shorter one moves to the next page whole.
_WHOLE_CHARACTERS = 1200
_WHOLE_LINES = 18


def content_of(document: InvoiceDocument) -> dict[str, Content]:
    locale, texts = language_of(document.locale)
    title = f"{texts.titles[document.kind]} {document.number}"
    return {
        "language": locale.language,
        "region": locale.territory,
        "metadata": {"title": title, "author": document.seller.name},
        "day": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "title": title,
        "seller_name": document.seller.name,
        "sender": " · ".join((document.seller.name, *document.seller.address_lines)),
        "buyer": _buyer(document, locale),
        "facts": _facts(document, locale=locale, texts=texts),
        "summary": _summary(document, locale=locale, texts=texts),
        "stamp": _stamp(document, texts),
        "across": texts.stamps[DocumentStamp.VOID]
        if document.stamp is DocumentStamp.VOID
        else None,
        "headings": {
            "position": texts.position,
            "description": texts.description,
            "quantity": texts.quantity,
            "unit_price": texts.unit_price,
            "tax": document.tax_name or texts.tax,
            "amount": _amount_heading(document, texts),
        },
        "lines": [
            _line(line, document=document, locale=locale, texts=texts) for line in document.lines
        ],
        "totals": _totals(document, locale=locale, texts=texts),
        "payment": _payment(document, texts),
        "note": document.note,
        "small_print": _given(_gross_note(document, texts), document.tax_note),
        "footer": _footer(document.seller, locale=locale, texts=texts),
        "footer_note": document.seller.footer_note,
        "page": texts.page,
    }


def _buyer(document: InvoiceDocument, locale: Locale) -> list[Content]:
    buyer = document.buyer
    abroad = buyer.country != document.seller.country
    country = _country(buyer.country, locale) if abroad else None
    return _given(buyer.name, buyer.contact, *buyer.address_lines, country)


def _facts(document: InvoiceDocument, *, locale: Locale, texts: DocumentTexts) -> list[Content]:
    return _rows(
        (texts.numbers[document.kind], document.number),
        (texts.corrected_number, ", ".join(document.corrected_numbers)),
        (texts.issued_on[document.kind], _day(document.issued_on, locale)),
        (texts.due_on, _day(document.due_on, locale)),
        (texts.service_period, _days(document.service_days, locale)),
        (texts.customer_number, document.customer_number),
        (texts.subscription, document.subscription_reference),
        (texts.buyer_reference, document.buyer.reference),
        (texts.buyer_vat_id, document.buyer.vat_id),
    )


def _summary(document: InvoiceDocument, *, locale: Locale, texts: DocumentTexts) -> str | None:
    settled = document.stamp in {DocumentStamp.PAID, DocumentStamp.VOID}
    due = document.totals.amount_due
    if document.kind is not DocumentKind.INVOICE or settled or due.amount_minor <= 0:
        return None
    if document.due_on is None:
        return None
    return texts.due_summary.format(
        amount=amount_text(due, locale), date=format_date(document.due_on, "long", locale)
    )


def _stamp(document: InvoiceDocument, texts: DocumentTexts) -> Content:
    if document.stamp is None:
        return None
    return {"text": texts.stamps[document.stamp], "kind": document.stamp.value}


def _amount_heading(document: InvoiceDocument, texts: DocumentTexts) -> str:
    gross = [line.gross is not None for line in document.lines]
    heading = texts.net if not any(gross) else texts.gross if all(gross) else texts.mixed
    return heading.format(currency=document.currency.code)


def _gross_note(document: InvoiceDocument, texts: DocumentTexts) -> str | None:
    if not document.lines or any(line.gross is None for line in document.lines):
        return None
    return texts.gross_note.format(tax=document.tax_name or texts.tax)


def _line(
    line: DocumentLine, *, document: InvoiceDocument, locale: Locale, texts: DocumentTexts
) -> Content:
    text = f"{line.description}\n{line.detail or ''}"
    return {
        "position": str(line.position),
        "description": line.description,
        "details": _details(line, document=document, locale=locale, texts=texts),
        "quantity": quantity_text(line.quantity, locale),
        "unit": line.unit_name,
        "unit_price": ""
        if line.unit_price is None
        else price_text(line.unit_price, currency=document.currency, locale=locale),
        "tax": rate_text(line.tax_rate, locale),
        "amount": plain_amount_text(line.net if line.gross is None else line.gross, locale),
        "breakable": len(text) > _WHOLE_CHARACTERS or text.count("\n") > _WHOLE_LINES,
    }


def _details(
    line: DocumentLine, *, document: InvoiceDocument, locale: Locale, texts: DocumentTexts
) -> list[Content]:
    """What stands small below a line's description, a row each."""
    corrected = line.corrected_number
    if (corrected,) == document.corrected_numbers:
        corrected = None  # it stands above already
    mixed = any(each.gross is None for each in document.lines)
    tax_name = document.tax_name or texts.tax
    return _given(
        _days(line.service_days, locale),
        texts.unused_rest if line.is_unused_rest else None,
        line.detail,
        corrected and f"{texts.corrected_number} {corrected}",
        texts.discount.format(amount=amount_text(-line.discount, locale))
        if line.discount
        else None,
        texts.gross_line.format(tax=tax_name) if line.gross is not None and mixed else None,
    )


def _totals(document: InvoiceDocument, *, locale: Locale, texts: DocumentTexts) -> list[Content]:
    totals = document.totals
    tax_name = document.tax_name or texts.tax
    rows: list[Content] = []

    def part(label: str, amount: Money | None) -> None:
        if amount is not None and not amount.is_zero:
            rows.append(_total(label, amount=amount_text(amount, locale), kind="part"))

    if totals.taxes:
        gross = any(line.gross is not None for line in document.lines)
        label = texts.net_total.format(tax=tax_name) if gross else texts.subtotal
        rows.append(_total(label, amount=amount_text(totals.subtotal, locale), kind="part"))
    for row in totals.taxes:
        label = texts.tax_row.format(
            tax=tax_name, rate=rate_text(row.rate, locale), base=amount_text(row.base, locale)
        )
        rows.append(_total(label, amount=amount_text(row.tax, locale), kind="part"))
    rows.append(_total(texts.total, amount=amount_text(totals.total, locale), kind="total"))
    part(texts.credit_applied, totals.credit_applied and -totals.credit_applied)
    part(texts.credited, totals.credited and -totals.credited)
    part(texts.paid, -totals.paid)
    for label, amount in _uses(document.credit_use, texts):
        part(label, amount)
    if document.kind is DocumentKind.INVOICE:
        rows.append(
            _total(texts.amount_due, amount=amount_text(totals.amount_due, locale), kind="due")
        )
    return rows


def _uses(use: CreditUse | None, texts: DocumentTexts) -> list[tuple[str, Money]]:
    if use is None:
        return []
    return [
        (texts.to_invoice, use.to_invoice),
        (texts.to_balance, use.to_balance),
        (texts.to_refund, use.to_refund),
    ]


def _total(label: str, *, amount: str, kind: str) -> Content:
    return {"label": label, "amount": amount, "kind": kind}


def _payment(document: InvoiceDocument, texts: DocumentTexts) -> Content:
    """How to pay; the bank only while something is owed, so that nobody pays twice."""
    owed = (
        document.kind is DocumentKind.INVOICE
        and document.totals.amount_due.amount_minor > 0
        and document.stamp is not DocumentStamp.VOID
    )
    bank = document.seller.bank if owed else None
    transfer = _bank(bank, texts) if bank else []
    if transfer and document.payment_reference:
        transfer.append([texts.payment_reference, document.payment_reference])
    terms = document.payment_terms or (_terms(document, texts) if owed else None)
    if not terms and not transfer:
        return None
    return {"heading": texts.payment, "terms": terms, "transfer": transfer}


def _terms(document: InvoiceDocument, texts: DocumentTexts) -> str | None:
    if document.due_on is None:
        return None
    days = (document.due_on - document.issued_on).days
    return texts.terms_days.format(days=days) if days > 0 else texts.terms_at_once


def _bank(bank: BankAccount, texts: DocumentTexts) -> list[Content]:
    return _rows(
        (texts.holder, bank.holder),
        (texts.iban, _grouped(bank.iban)),
        (texts.bic, bank.bic),
        (texts.bank, bank.bank_name),
    )


def _footer(seller: SellerParty, *, locale: Locale, texts: DocumentTexts) -> list[Content]:
    columns: list[tuple[str, list[Content]]] = [
        (seller.name, _given(*seller.address_lines, _country(seller.country, locale))),
        (texts.contact, _given(seller.email, seller.phone, seller.website)),
        (texts.bank_details, _bank_lines(seller.bank, texts)),
        (
            texts.company,
            _given(
                seller.register_info,
                seller.vat_id and f"{texts.vat_id} {seller.vat_id}",
                seller.tax_number and f"{texts.tax_number} {seller.tax_number}",
            ),
        ),
    ]
    return [{"heading": heading, "lines": lines} for heading, lines in columns if lines]


def _bank_lines(bank: BankAccount | None, texts: DocumentTexts) -> list[Content]:
    if bank is None:
        return []
    return _given(
        bank.bank_name,
        f"{texts.iban} {_grouped(bank.iban)}",
        bank.bic and f"{texts.bic} {bank.bic}",
    )


def _grouped(account: str) -> str:
    """An IBAN in its printed form, groups of four (ISO 13616); any other number as it is."""
    compact = account.replace(" ", "")
    if len(compact) < 15 or not compact[:2].isalpha():
        return account
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))


def _day(day: date | None, locale: Locale) -> str | None:
    return format_date(day, "medium", locale) if day else None


def _days(days: ServiceDays | None, locale: Locale) -> str | None:
    return days_text(days, locale) if days else None


def _country(code: str, locale: Locale) -> str:
    return str(locale.territories.get(code, code))


def _given(*texts: str | None) -> list[Content]:
    return [text for text in texts if text]


def _rows(*rows: tuple[str, str | None]) -> list[Content]:
    return [[label, value] for label, value in rows if value]
