"""What does a person ask of an invoice?"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from billwright.features.invoicing.operations.create_manual_invoice import CreateManualInvoice
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice
from billwright.features.invoicing.operations.update_draft import UpdateDraft
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.rules.credit_note import CreditLine
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.surfaces.platform_api.fields import KnownCurrency, Quantity
from billwright.surfaces.web.wire import (
    Code,
    DecimalText,
    Identifier,
    Instant,
    MoneyInput,
    Prose,
    RequestModel,
    Text,
)

_WHOLE_DIGITS, _PLACES = 12, 12


def _fitting(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - decimal text is a finite number
    if abs(value) >= 10**_WHOLE_DIGITS or -exponent > _PLACES:
        raise PydanticCustomError(
            "out_of_range",
            "Must not have more than {whole_digits} digits before or {places} after the point",
            {"whole_digits": _WHOLE_DIGITS, "places": _PLACES},
        )
    return value


SignedPrice = Annotated[
    DecimalText,
    AfterValidator(_fitting),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$",
            "examples": ["90.00", "-20.00"],
        }
    ),
]
"""A price in major units, which takes something off where it is below zero."""

UnitName = Annotated[Text, StringConstraints(max_length=40)]
Reason = Annotated[Text, Field(description="Why; for the books, not printed.")]
Note = Annotated[Prose, Field(description="A text below the lines of the document.")]
Reference = Annotated[
    str, StringConstraints(max_length=255), Field(description="What it is about; printed.")
]

_LINE: JsonDict = {
    "description": "Workshop",
    "quantity": "1.5",
    "unit_name": "day",
    "unit_price": "900.00",
}


class ManualLineInput(RequestModel):
    """So many units at a price."""

    description: Text
    quantity: Quantity = Decimal(1)
    unit_name: UnitName | None = None
    unit_price: Annotated[
        SignedPrice, Field(description="In major units; below zero it takes something off.")
    ]
    tax_category: Code = "standard"
    tax_inclusive: Annotated[bool, Field(description="The price contains the tax.")] = False
    period_start: Annotated[
        Instant | None, Field(description="The service's beginning, where it has one.")
    ] = None
    period_end: Annotated[
        Instant | None, Field(description="The instant before which it ends.")
    ] = None

    def to_line(self) -> ManualLine:
        return ManualLine(
            description=self.description,
            quantity=self.quantity,
            unit_name=self.unit_name or "",
            unit_price=self.unit_price,
            tax_category=self.tax_category,
            tax_inclusive=self.tax_inclusive,
            period_start=self.period_start,
            period_end=self.period_end,
        )


Lines = Annotated[list[ManualLineInput], Field(min_length=1, max_length=500)]


class ManualInvoiceInput(RequestModel):
    """An invoice of free lines, in the account's currency unless another is named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "lines": [_LINE],
                    "reference": "Order 7",
                    "note": "Thank you.",
                }
            ]
        }
    )

    account_id: Identifier
    lines: Lines
    currency: KnownCurrency | None = None
    reference: Reference = ""
    note: Note = ""

    def to_command(self) -> CreateManualInvoice:
        return CreateManualInvoice(
            account_id=self.account_id,
            lines=tuple(line.to_line() for line in self.lines),
            currency=self.currency,
            reference=self.reference,
            note=self.note,
        )


class DraftUpdateInput(RequestModel):
    """What becomes different of a draft; what is left out or null stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lines": [_LINE], "note": ""}]})

    lines: Annotated[
        list[ManualLineInput] | None,
        Field(
            max_length=500,
            description="In place of those that a person wrote; lines of subscriptions stay.",
        ),
    ] = None
    reference: Reference | None = None
    note: Note | None = None

    def to_command(self, invoice_id: UUID, *, expected_version: int | None) -> UpdateDraft:
        return UpdateDraft(
            invoice_id=invoice_id,
            lines=None if self.lines is None else tuple(line.to_line() for line in self.lines),
            reference=self.reference,
            note=self.note,
            expected_version=expected_version,
        )


class EndInput(RequestModel):
    """Why an invoice is withdrawn or given up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Wrong buyer"}]})

    reason: Reason


class CreditLineInput(RequestModel):
    """What is given back of one line: an amount, or all that it has left."""

    line_id: Identifier
    amount: MoneyInput | None = None


class AllocationInput(RequestModel):
    """Where the total of a credit note goes; the parts make exactly that."""

    to_invoice: Annotated[
        MoneyInput | None, Field(description="Taken off what is due on the invoice.")
    ] = None
    to_balance: Annotated[
        MoneyInput | None, Field(description="Left with the seller as the account's credit.")
    ] = None
    to_refund: Annotated[
        MoneyInput | None, Field(description="Paid back, at most what was paid.")
    ] = None

    def amounts(self) -> list[MoneyInput]:
        return [each for each in (self.to_invoice, self.to_balance, self.to_refund) if each]

    def to_allocation(self) -> Allocation:
        return Allocation(
            to_invoice_minor=_minor(self.to_invoice) or 0,
            to_balance_minor=_minor(self.to_balance) or 0,
            to_refund_minor=_minor(self.to_refund) or 0,
        )


class CreditNoteInput(RequestModel):
    """Give back single lines, one amount shared over all lines, or all that is left of an invoice.

    Amounts are in the terms of the lines: without tax, or with it where prices contain it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reason": "Outage", "amount": {"amount": "10.00", "currency": "EUR"}},
                {
                    "reason": "Returned",
                    "lines": [{"line_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"}],
                    "allocation": {"to_refund": {"amount": "35.34", "currency": "EUR"}},
                },
            ]
        }
    )

    reason: Reason
    lines: Annotated[list[CreditLineInput], Field(max_length=1000)] = Field(default_factory=list)
    amount: MoneyInput | None = None
    note: Note = ""
    allocation: Annotated[
        AllocationInput | None,
        Field(
            description="Left out: what is still due on the invoice is offset first, and the rest "
            "becomes the account's credit."
        ),
    ] = None
    apply_to_open_invoices: Annotated[
        bool,
        Field(
            description="Whether what becomes the account's credit pays the invoices that are open "
            "already, those that are due first, up to a hundred; else only invoices to come take from it."
        ),
    ] = False

    def to_command(self, invoice_id: UUID) -> CreditInvoice:
        amounts = [self.amount, *(line.amount for line in self.lines)]
        if self.allocation is not None:
            amounts += self.allocation.amounts()
        return CreditInvoice(
            invoice_id=invoice_id,
            reason=self.reason,
            lines=tuple(CreditLine(line.line_id, _minor(line.amount)) for line in self.lines),
            amount_minor=_minor(self.amount),
            currencies=frozenset(each.currency for each in amounts if each),
            note=self.note,
            allocation=self.allocation.to_allocation() if self.allocation else None,
        )


def _minor(amount: MoneyInput | None) -> int | None:
    return None if amount is None else amount.to_money().amount_minor
