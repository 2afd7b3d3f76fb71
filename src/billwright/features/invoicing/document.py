"""What is printed on an invoice or a credit note?

A snapshot of plain values, taken when the invoice is finalized: it knows nothing of rows, vendors or
languages, so that printing it again years later gives the same paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billwright.features.invoicing.model import DocumentKind
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money


class DocumentStamp(StrEnum):
    """What is stamped beside the title; an open document carries no stamp, and what is void says so
    across every page.
    """

    DRAFT = "draft"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class ServiceDays:
    """The days a service covers, both included: a month is its first to its last day."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"service days end before they begin: {self.first} to {self.last}")


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where to transfer to; `iban` may be any account number where no IBAN exists."""

    holder: str
    iban: str
    bank_name: str | None = None
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class SellerParty:
    """Who issues the document, with what the law wants to see of them in the footer.

    `country` is an ISO 3166 alpha-2 code. `register_info` names court and number of the company
    register; `footer_note` is free text under the columns, for example the managing directors.
    """

    name: str
    address_lines: tuple[str, ...]
    country: str
    vat_id: str | None = None
    tax_number: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    bank: BankAccount | None = None
    register_info: str | None = None
    footer_note: str | None = None


@dataclass(frozen=True, slots=True)
class BuyerParty:
    """Who owes; `reference` is their own order number, printed as it was given."""

    name: str
    address_lines: tuple[str, ...]
    country: str
    contact: str | None = None
    vat_id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One position. `unit_price` is in major units, may be finer than the minor unit and is absent
    where no single price makes the amount, as with tiers;
    `tax_rate` is a fraction, `Decimal("0.19")` is 19 %; `net` is without tax, and `gross`, with it, is
    printed in its place where the price contains the tax. Both are what is left after the `discount`.
    `corrected_number` is the invoice on which stands what the line takes back; `is_unused_rest` says
    that it is service which was charged and is not used.
    """

    position: int
    description: str
    quantity: Decimal
    unit_price: Decimal | None
    tax_rate: Decimal
    net: Money
    detail: str | None = None
    unit_name: str | None = None
    service_days: ServiceDays | None = None
    gross: Money | None = None
    discount: Money | None = None
    corrected_number: str | None = None
    is_unused_rest: bool = False


@dataclass(frozen=True, slots=True)
class TaxRow:
    """The tax of one rate on the document total; `rate` is a fraction."""

    rate: Decimal
    base: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """`subtotal` is without tax. `credit_applied` was taken from the account's credit, `credited` was
    taken off by credit notes. `amount_due` is what is still to be paid; it is not computed here,
    because write-offs are decided elsewhere.
    """

    subtotal: Money
    taxes: tuple[TaxRow, ...]
    total: Money
    paid: Money
    amount_due: Money
    credit_applied: Money | None = None
    credited: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditUse:
    """Where the total of a credit note goes: off the corrected invoice, to the account's credit, or
    back to the buyer.
    """

    to_invoice: Money
    to_balance: Money
    to_refund: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """Everything a renderer may print; it refuses (`ValueError`, a bug) to exist when its lines and
    taxes do not add up to its total or when currencies are mixed.

    The amounts of a credit note say how much is given back, so they are positive like an invoice's.
    `locale` is a language tag such as `de` or `en-GB`; a renderer falls back to English. `tax_name` is
    what the tax is called ("GST"); without it the language's word for VAT. `corrected_numbers` are the
    invoices that a credit note corrects. `note` is the seller's own text. `payment_reference` is what
    to quote with a transfer. Without `payment_terms` an open invoice says in how many days it is due,
    in its own language.
    """

    kind: DocumentKind
    number: str
    issued_on: date
    currency: Currency
    locale: str
    seller: SellerParty
    buyer: BuyerParty
    lines: tuple[DocumentLine, ...]
    totals: DocumentTotals
    due_on: date | None = None
    service_days: ServiceDays | None = None
    stamp: DocumentStamp | None = None
    customer_number: str | None = None
    subscription_reference: str | None = None
    corrected_numbers: tuple[str, ...] = ()
    credit_use: CreditUse | None = None
    note: str | None = None
    payment_terms: str | None = None
    payment_reference: str | None = None
    tax_name: str | None = None
    tax_note: str | None = None

    def __post_init__(self) -> None:
        if any(money.currency != self.currency for money in self._amounts()):
            raise ValueError(f"document {self.number} mixes currencies")
        totals = self.totals
        if sum(line.net.amount_minor for line in self.lines) != totals.subtotal.amount_minor:
            raise ValueError(f"document {self.number}: the lines do not add up to the subtotal")
        taxes_minor = sum(row.tax.amount_minor for row in totals.taxes)
        if totals.subtotal.amount_minor + taxes_minor != totals.total.amount_minor:
            raise ValueError(f"document {self.number}: subtotal and taxes do not make the total")

    def _amounts(self) -> Iterator[Money]:
        totals = self.totals
        given = [money for line in self.lines for money in (line.net, line.gross, line.discount)]
        given += [totals.credit_applied, totals.credited]
        if self.credit_use is not None:
            use = self.credit_use
            given += [use.to_invoice, use.to_balance, use.to_refund]
        yield from filter(None, given)
        yield from (money for row in totals.taxes for money in (row.base, row.tax))
        yield from (totals.subtotal, totals.total, totals.paid, totals.amount_due)
