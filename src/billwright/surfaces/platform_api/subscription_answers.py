"""What does a command on a subscription answer, and what its preview?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from billwright.features.invoicing import model
from billwright.features.subscriptions.model import Commanded
from billwright.kernel.currency import Currency, currency_of
from billwright.kernel.money import Money
from billwright.surfaces.platform_api.fields import Quantity, Share, price_text
from billwright.surfaces.platform_api.invoices_models import InvoiceTax
from billwright.surfaces.platform_api.invoices_models import to_response as invoice_response
from billwright.surfaces.platform_api.subscriptions_models import Subscription
from billwright.surfaces.web.wire import CalendarDate, Instant, MoneyModel, ResponseModel

_PENDING = "How many charges wait for the next invoice or the billing day."
_HELD = "How many charges wait because their sum is below the seller's smallest invoice."


class BilledDocument(ResponseModel):
    """An invoice or a credit note that was made by a command."""

    id: UUID
    kind: model.DocumentKind
    number: Annotated[str | None, Field(description="Null for a draft.")]
    total: Annotated[MoneyModel, Field(description="Negative for a credit note.")]
    due: Annotated[MoneyModel, Field(description="What is to be paid.")]


class CommandedSubscription(Subscription):
    """A subscription as a command left it, and what was billed by it."""

    documents: list[BilledDocument]
    pending: Annotated[int, Field(description=_PENDING)]
    held: Annotated[int, Field(description=_HELD)]


class PreviewLine(ResponseModel):
    """What would be charged, or given back where the amount is negative."""

    kind: model.ChargeKind
    description: str
    period_start: Annotated[Instant, Field(description="The service's beginning.")]
    period_end: Annotated[Instant, Field(description="The instant before which it ends.")]
    quantity: Quantity
    unit_name: str
    unit_price: Annotated[
        str | None,
        Field(description="In major units; null where there is no price of one unit."),
    ]
    amount: Annotated[MoneyModel, Field(description="After discounts.")]
    discount: Annotated[MoneyModel, Field(description="What promotions took off.")]
    tax_category: str
    tax_inclusive: Annotated[bool, Field(description="Whether the amount contains the tax.")]


class PreviewTaxedLine(PreviewLine):
    """A line of a document that would be made; the tax is its part of the document's."""

    tax_rate: Share
    tax: MoneyModel


class PreviewDocument(ResponseModel):
    """An invoice or a credit note that would be made. It has no number: nothing was made."""

    kind: model.DocumentKind
    state: model.InvoiceState
    subtotal: Annotated[MoneyModel, Field(description="Without tax.")]
    tax: MoneyModel
    total: Annotated[MoneyModel, Field(description="Negative for a credit note.")]
    credit_applied: Annotated[
        MoneyModel, Field(description="What would be paid from the account's credit.")
    ]
    due: Annotated[MoneyModel, Field(description="What would be to be paid.")]
    to_balance: Annotated[
        MoneyModel, Field(description="What a credit note would leave with the account.")
    ]
    to_refund: Annotated[MoneyModel, Field(description="What a credit note would refund.")]
    taxes: list[InvoiceTax]
    issued_on: CalendarDate | None
    due_on: CalendarDate | None
    lines: list[PreviewTaxedLine]


class SubscriptionPreview(ResponseModel):
    """What a command would answer. Nothing of it has happened; ids and numbers of what does not exist
    yet are not those that it would get.
    """

    subscription: Subscription
    proration_at: Annotated[
        Instant,
        Field(
            description="The instant that was reckoned with. A change that is sent with it as "
            "`effective_at`, or a new subscription with it as `starts_at`, gives the same amounts to "
            "the cent."
        ),
    ]
    documents: list[PreviewDocument]
    pending_lines: Annotated[
        list[PreviewLine],
        Field(description="What would wait, without the tax that its invoice will decide."),
    ]
    pending: Annotated[int, Field(description=_PENDING)]
    held: Annotated[int, Field(description=_HELD)]


def commanded(subscription: Subscription, done: Commanded) -> CommandedSubscription:
    return CommandedSubscription(
        **dict(subscription),
        documents=[billed_document(document) for document in done.billed.documents],
        pending=done.billed.pending,
        held=done.billed.held,
    )


def billed_document(document: model.IssuedInvoice) -> BilledDocument:
    currency = currency_of(document.currency)
    return BilledDocument(
        id=document.id,
        kind=document.kind,
        number=document.number,
        total=_money(document.total_minor, currency),
        due=_money(document.due_minor, currency),
    )


def previewed(
    subscription: Subscription,
    done: Commanded,
    *,
    at: datetime,
    documents: Sequence[tuple[model.Invoice, Sequence[model.InvoiceLine]]],
    waiting: Sequence[model.NewCharge],
) -> SubscriptionPreview:
    currency = currency_of(done.subscription.currency)
    return SubscriptionPreview(
        subscription=subscription,
        proration_at=at,
        documents=[document_output(invoice, lines) for invoice, lines in documents],
        pending_lines=[PreviewLine(**line_output(charge, currency)) for charge in waiting],
        pending=done.billed.pending,
        held=done.billed.held,
    )


def document_output(invoice: model.Invoice, lines: Sequence[model.InvoiceLine]) -> PreviewDocument:
    currency = invoice.currency
    return PreviewDocument(
        kind=invoice.kind,
        state=invoice.state,
        subtotal=_money(invoice.subtotal_minor, currency),
        tax=_money(invoice.tax_minor, currency),
        total=_money(invoice.total_minor, currency),
        credit_applied=_money(invoice.credit_applied_minor, currency),
        due=_money(invoice.due_minor, currency),
        to_balance=_money(invoice.to_balance_minor, currency),
        to_refund=_money(invoice.to_refund_minor, currency),
        taxes=invoice_response(invoice).taxes,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        lines=[
            PreviewTaxedLine(
                **line_output(line, currency),
                tax_rate=line.tax_rate,
                tax=_money(line.tax_minor, currency),
            )
            for line in lines
        ],
    )


def line_output(
    charge: model.NewCharge | model.InvoiceLine, currency: Currency
) -> dict[str, object]:
    price = charge.unit_price
    return {
        "kind": charge.kind,
        "description": charge.description,
        "period_start": charge.period_start,
        "period_end": charge.period_end,
        "quantity": charge.quantity,
        "unit_name": charge.unit_name,
        "unit_price": None if price is None else price_text(price, currency),
        "amount": _money(charge.amount_minor, currency),
        "discount": _money(charge.discount_minor, currency),
        "tax_category": charge.tax_category,
        "tax_inclusive": charge.tax_inclusive,
    }


def _money(amount_minor: int, currency: Currency) -> MoneyModel:
    return MoneyModel.from_money(Money(amount_minor, currency))
