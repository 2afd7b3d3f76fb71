"""What does an invoice look like in answers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field

from billwright.features.invoicing import model
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money
from billwright.surfaces.platform_api.fields import Quantity, Share, price_text
from billwright.surfaces.web.wire import (
    CalendarDate,
    CurrencyCode,
    Instant,
    MoneyModel,
    ResponseModel,
)


class InvoiceTax(ResponseModel):
    """The tax of one rate on the whole document."""

    category: str
    rate: Share
    base: Annotated[MoneyModel, Field(description="What was taxed.")]
    tax: MoneyModel


class InvoiceLine(ResponseModel):
    """One position; the tax is its part of the document's."""

    id: UUID
    position: int
    subscription_id: UUID | None
    kind: model.ChargeKind
    description: str
    period_start: Annotated[Instant, Field(description="The service's beginning.")]
    period_end: Annotated[Instant, Field(description="The instant before which it ends.")]
    quantity: Quantity
    unit_name: str
    unit_price: Annotated[
        str | None,
        Field(
            description="In major units, exact; null where there is no price of one unit.",
            examples=["9.90"],
        ),
    ]
    amount: Annotated[
        MoneyModel,
        Field(description="After discounts; without tax, or with it where `tax_inclusive`."),
    ]
    discount: Annotated[MoneyModel, Field(description="What promotions took off.")]
    tax_category: str
    tax_inclusive: Annotated[bool, Field(description="The price contains the tax.")]
    tax_rate: Share
    tax: MoneyModel
    net: Annotated[MoneyModel, Field(description="What it adds to the subtotal.")]
    corrects_line_id: Annotated[
        UUID | None, Field(description="The line that this one takes back, wholly or in part.")
    ]


class Invoice(ResponseModel):
    """The head of an invoice or a credit note, whose amounts are negative. What is finalized never
    changes, except for what has been paid and credited, and for its end.
    """

    id: UUID
    kind: model.DocumentKind
    account_id: UUID
    number: Annotated[str | None, Field(description="Null until it is finalized.")]
    state: model.InvoiceState
    currency: CurrencyCode
    subtotal: Annotated[MoneyModel, Field(description="Without tax.")]
    tax: MoneyModel
    total: MoneyModel
    paid: MoneyModel
    credit_applied: Annotated[
        MoneyModel, Field(description="What the account's credit has paid of it.")
    ]
    credited: Annotated[MoneyModel, Field(description="What credit notes took off what is due.")]
    due: Annotated[MoneyModel, Field(description="What is still to be paid.")]
    corrects_invoice_id: Annotated[
        UUID | None, Field(description="The invoice that a credit note is about.")
    ]
    to_balance: Annotated[
        MoneyModel, Field(description="What a credit note left as the account's credit.")
    ]
    to_refund: Annotated[MoneyModel, Field(description="What a credit note promised to pay back.")]
    reason: Annotated[
        str, Field(description="Why it was credited or voided; for the books, not printed.")
    ]
    note: Annotated[str, Field(description="The seller's text on the document.")]
    taxes: list[InvoiceTax]
    reference: Annotated[str, Field(description="What it is about, such as a subscription.")]
    period_start: Instant | None
    period_end: Instant | None
    issued_on: Annotated[CalendarDate | None, Field(description="In the seller's time zone.")]
    due_on: CalendarDate | None
    finalized_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    uncollectible_at: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


class InvoiceWithLines(Invoice):
    """An invoice with its lines, in the order of the document."""

    lines: list[InvoiceLine]


def to_response(invoice: model.Invoice) -> Invoice:
    currency = invoice.currency
    return Invoice(
        id=invoice.id,
        kind=invoice.kind,
        account_id=invoice.account_id,
        number=invoice.number,
        state=invoice.state,
        currency=currency.code,
        subtotal=_money(invoice.subtotal_minor, currency),
        tax=_money(invoice.tax_minor, currency),
        total=_money(invoice.total_minor, currency),
        paid=_money(invoice.paid_minor, currency),
        credit_applied=_money(invoice.credit_applied_minor, currency),
        credited=_money(invoice.credited_minor, currency),
        due=_money(invoice.due_minor, currency),
        corrects_invoice_id=invoice.corrects_invoice_id,
        to_balance=_money(invoice.to_balance_minor, currency),
        to_refund=_money(invoice.to_refund_minor, currency),
        reason=invoice.reason,
        note=invoice.note,
        taxes=[
            InvoiceTax(
                category=part.category,
                rate=part.rate,
                base=_money(part.base_minor, currency),
                tax=_money(part.tax_minor, currency),
            )
            for part in invoice.taxes
        ],
        reference=invoice.reference,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        finalized_at=invoice.finalized_at,
        paid_at=invoice.paid_at,
        voided_at=invoice.voided_at,
        uncollectible_at=invoice.uncollectible_at,
        version=invoice.version,
        created_at=invoice.created_at,
        updated_at=invoice.updated_at,
    )


def with_lines(invoice: model.Invoice, lines: Sequence[model.InvoiceLine]) -> InvoiceWithLines:
    return InvoiceWithLines(
        **dict(to_response(invoice)), lines=[to_line(line, invoice.currency) for line in lines]
    )


def to_line(line: model.InvoiceLine, currency: Currency) -> InvoiceLine:
    return InvoiceLine(
        id=line.id,
        position=line.position,
        subscription_id=line.subscription_id,
        kind=line.kind,
        description=line.description,
        period_start=line.period_start,
        period_end=line.period_end,
        quantity=line.quantity,
        unit_name=line.unit_name,
        unit_price=None if line.unit_price is None else price_text(line.unit_price, currency),
        amount=_money(line.amount_minor, currency),
        discount=_money(line.discount_minor, currency),
        tax_category=line.tax_category,
        tax_inclusive=line.tax_inclusive,
        tax_rate=line.tax_rate,
        tax=_money(line.tax_minor, currency),
        net=_money(line.net_minor, currency),
        corrects_line_id=line.corrects_charge_id,
    )


def _money(amount_minor: int, currency: Currency) -> MoneyModel:
    return MoneyModel.from_money(Money(amount_minor, currency))
