"""Which words does a printed document use in each language?"""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale, UnknownLocaleError

from billwright.features.invoicing.document import DocumentStamp
from billwright.features.invoicing.model import DocumentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTexts:
    """One language; words in braces are filled in."""

    titles: dict[DocumentKind, str]
    stamps: dict[DocumentStamp, str]
    numbers: dict[DocumentKind, str]
    corrected_number: str
    issued_on: dict[DocumentKind, str]
    due_on: str
    service_period: str
    customer_number: str
    subscription: str
    buyer_reference: str
    buyer_vat_id: str
    position: str
    description: str
    quantity: str
    unit_price: str
    tax: str
    net: str
    gross: str
    mixed: str
    gross_line: str
    gross_note: str
    discount: str
    unused_rest: str
    subtotal: str
    net_total: str
    tax_row: str
    total: str
    credit_applied: str
    credited: str
    paid: str
    amount_due: str
    to_invoice: str
    to_balance: str
    to_refund: str
    due_summary: str
    payment: str
    terms_at_once: str
    terms_days: str
    holder: str
    iban: str
    bic: str
    bank: str
    payment_reference: str
    vat_id: str
    tax_number: str
    contact: str
    bank_details: str
    company: str
    page: str


ENGLISH = DocumentTexts(
    titles={DocumentKind.INVOICE: "Invoice", DocumentKind.CREDIT_NOTE: "Credit note"},
    stamps={DocumentStamp.DRAFT: "Draft", DocumentStamp.PAID: "Paid", DocumentStamp.VOID: "Void"},
    numbers={
        DocumentKind.INVOICE: "Invoice number",
        DocumentKind.CREDIT_NOTE: "Credit note number",
    },
    corrected_number="For invoice",
    issued_on={
        DocumentKind.INVOICE: "Date of issue",
        DocumentKind.CREDIT_NOTE: "Date of issue",
    },
    due_on="Due date",
    service_period="Service period",
    customer_number="Customer number",
    subscription="Subscription",
    buyer_reference="Your reference",
    buyer_vat_id="Your VAT ID",
    position="No.",
    description="Description",
    quantity="Quantity",
    unit_price="Unit price",
    tax="VAT",
    net="Net ({currency})",
    gross="Gross ({currency})",
    mixed="Amount ({currency})",
    gross_line="Price includes {tax}",
    gross_note="Prices include {tax}.",
    discount="Discount {amount}",
    unused_rest="Credit for unused time",
    subtotal="Subtotal",
    net_total="Total without {tax}",
    tax_row="{tax} {rate} on {base}",
    total="Total",
    credit_applied="From your credit balance",
    credited="Credited",
    paid="Paid",
    amount_due="Amount due",
    to_invoice="Taken off the invoice",
    to_balance="Added to your credit balance",
    to_refund="To be refunded",
    due_summary="{amount} due on {date}",
    payment="Payment",
    terms_at_once="Payable on receipt, without deduction.",
    terms_days="Payable within {days} days of the date of issue, without deduction.",
    holder="Account holder",
    iban="IBAN",
    bic="BIC",
    bank="Bank",
    payment_reference="Reference",
    vat_id="VAT ID",
    tax_number="Tax number",
    contact="Contact",
    bank_details="Bank details",
    company="Company",
    page="Page {page} of {pages}",
)

GERMAN = DocumentTexts(
    titles={DocumentKind.INVOICE: "Rechnung", DocumentKind.CREDIT_NOTE: "Rechnungskorrektur"},
    stamps={
        DocumentStamp.DRAFT: "Entwurf",
        DocumentStamp.PAID: "Bezahlt",
        DocumentStamp.VOID: "Storniert",
    },
    numbers={
        DocumentKind.INVOICE: "Rechnungsnummer",
        DocumentKind.CREDIT_NOTE: "Korrekturnummer",
    },
    corrected_number="Zu Rechnung",
    issued_on={
        DocumentKind.INVOICE: "Rechnungsdatum",
        DocumentKind.CREDIT_NOTE: "Ausstellungsdatum",
    },
    due_on="Fällig am",
    service_period="Leistungszeitraum",
    customer_number="Kundennummer",
    subscription="Abonnement",
    buyer_reference="Ihre Referenz",
    buyer_vat_id="Ihre USt-IdNr.",
    position="Pos.",
    description="Beschreibung",
    quantity="Menge",
    unit_price="Einzelpreis",
    tax="USt.",
    net="Netto ({currency})",
    gross="Brutto ({currency})",
    mixed="Betrag ({currency})",
    gross_line="Preis enthält {tax}",
    gross_note="Alle Preise enthalten {tax}",
    discount="Rabatt {amount}",
    unused_rest="Gutschrift für nicht genutzte Zeit",
    subtotal="Zwischensumme",
    net_total="Gesamt ohne {tax}",
    tax_row="{tax} {rate} auf {base}",
    total="Gesamtbetrag",
    credit_applied="Aus Ihrem Guthaben",
    credited="Gutgeschrieben",
    paid="Bezahlt",
    amount_due="Zu zahlen",
    to_invoice="Von der Rechnung abgezogen",
    to_balance="Ihrem Guthaben hinzugefügt",
    to_refund="Wird erstattet",
    due_summary="{amount} fällig am {date}",
    payment="Zahlung",
    terms_at_once="Zahlbar bei Erhalt ohne Abzug.",
    terms_days="Zahlbar innerhalb von {days} Tagen nach Rechnungsdatum ohne Abzug.",
    holder="Kontoinhaber",
    iban="IBAN",
    bic="BIC",
    bank="Bank",
    payment_reference="Verwendungszweck",
    vat_id="USt-IdNr.",
    tax_number="Steuernummer",
    contact="Kontakt",
    bank_details="Bankverbindung",
    company="Unternehmen",
    page="Seite {page} von {pages}",
)

_LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def language_of(tag: str) -> tuple[Locale, DocumentTexts]:
    """The locale that formats numbers and dates, and the words that go with it; a tag without words
    gets English for both, so that a page never mixes two languages.
    """
    try:
        locale = Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en"), ENGLISH
    texts = _LANGUAGES.get(locale.language)
    return (locale, texts) if texts else (Locale("en"), ENGLISH)
