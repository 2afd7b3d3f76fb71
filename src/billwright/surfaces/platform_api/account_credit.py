"""How does a platform see and change what a customer has with the seller?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.accounts.errors import account_closed, account_unknown
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing import model
from billwright.features.invoicing.errors import credit_insufficient, credit_not_positive
from billwright.features.invoicing.operations.grant_credit import (
    ChangeCredit,
    grant_credit,
    withdraw_credit,
)
from billwright.features.invoicing.sql.reads_credit import credit_balances, list_credit_entries
from billwright.features.payments.operations.apply_new_credit import (
    AppliedCredit,
    grant_and_apply,
)
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import (
    CurrencyCode,
    Instant,
    MoneyInput,
    MoneyModel,
    RequestModel,
    ResponseModel,
    Text,
)

router = APIRouter(prefix="/accounts/{account_id}/credit", tags=["accounts"])

_LISTING = Listing("credit_entries", tuple[UUID])


class CreditChangeInput(RequestModel):
    """An amount to grant, or below zero to withdraw."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"amount": {"amount": "20.00", "currency": "EUR"}, "reason": "Goodwill"},
                {"amount": {"amount": "-5.00", "currency": "EUR"}, "reason": "Paid out"},
                {
                    "amount": {"amount": "20.00", "currency": "EUR"},
                    "reason": "Goodwill",
                    "apply_to_open_invoices": True,
                },
            ]
        }
    )

    amount: MoneyInput
    reason: Annotated[Text, Field(description="Why; for the books.")]
    apply_to_open_invoices: Annotated[
        bool,
        Field(
            description="Whether what is granted pays the invoices that are open already, those that "
            "are due first, up to a hundred; else only invoices to come take from it."
        ),
    ] = False


class AccountCredit(ResponseModel):
    """What an account has with the seller, by currency; invoices take from it by themselves."""

    balances: list[MoneyModel]


class PaidByCredit(ResponseModel):
    """What credit has paid of an invoice."""

    invoice_id: UUID
    amount: MoneyModel


class ChangedCredit(AccountCredit):
    """What an account has after a change, and what was paid at once of what was granted."""

    applied: list[PaidByCredit]
    passed_over: Annotated[
        list[UUID],
        Field(
            description="Open invoices that were left alone, because a payment of them is under way."
        ),
    ]


class CreditEntry(ResponseModel):
    """A change of an account's credit."""

    id: UUID
    kind: model.CreditEntryKind
    amount: Annotated[MoneyModel, Field(description="Below zero where credit was used.")]
    balance: Annotated[MoneyModel, Field(description="What was there afterwards.")]
    invoice_id: Annotated[UUID | None, Field(description="The invoice or credit note behind it.")]
    reason: str
    created_at: Instant


def to_response(balances: list[Money]) -> AccountCredit:
    return AccountCredit(balances=[MoneyModel.from_money(each) for each in balances])


def to_changed(balances: list[Money], applied: AppliedCredit) -> ChangedCredit:
    return ChangedCredit(
        **dict(to_response(balances)),
        applied=[
            PaidByCredit(invoice_id=invoice_id, amount=MoneyModel.from_money(amount))
            for invoice_id, amount in applied.paid
        ],
        passed_over=list(applied.passed_over),
    )


def to_entry(entry: model.CreditEntry) -> CreditEntry:
    return CreditEntry(
        id=entry.id,
        kind=entry.kind,
        amount=MoneyModel.from_money(Money(entry.amount_minor, entry.currency)),
        balance=MoneyModel.from_money(Money(entry.balance_minor, entry.currency)),
        invoice_id=entry.invoice_id,
        reason=entry.reason,
        created_at=entry.created_at,
    )


@router.get("", summary="Get an account's credit", responses=refusals.of_reading(account_unknown))
async def get_account_credit(reader: Reader, account_id: UUID) -> AccountCredit:
    """In every currency in which it ever had something."""
    async with reader.tx() as tx:
        await account_by_id(tx, account_id)
        return to_response(await credit_balances(tx, account_id))


@router.post(
    "",
    response_model=ChangedCredit,
    summary="Grant or withdraw credit",
    responses=refusals.of_writing(
        account_unknown, account_closed, credit_not_positive, credit_insufficient
    ),
)
async def change_account_credit(
    writer: Writer, account_id: UUID, body: CreditChangeInput, idempotent: Idempotent
) -> Response:
    """The answer is what the account has afterwards."""

    async def change(tx: Tx) -> ChangedCredit:
        amount = body.amount.to_money()
        command = ChangeCredit(account_id=account_id, amount=abs(amount), reason=body.reason)
        applied = AppliedCredit()
        if amount.amount_minor < 0:
            await withdraw_credit(tx, command)
        elif body.apply_to_open_invoices:
            applied = await grant_and_apply(tx, command)
        else:
            await grant_credit(tx, command)
        return to_changed(await credit_balances(tx, account_id), applied)

    return await once(writer.tx(), idempotent, work=change)


@router.get(
    "/entries",
    summary="List what changed an account's credit",
    responses=refusals.of_listing(account_unknown),
)
async def list_account_credit_entries(
    reader: Reader, account_id: UUID, page: PageParameters, currency: CurrencyCode | None = None
) -> Page[CreditEntry]:
    """Newest first."""
    filters = {"account_id": account_id, "currency": currency}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        await account_by_id(tx, account_id)
        entries = await list_credit_entries(
            tx,
            account_id,
            currency=currency,
            before=after[0] if after else None,
            limit=page.limit + 1,
        )
    return _LISTING.page(
        entries, page, filters=filters, key=lambda entry: (entry.id,), to_response=to_entry
    )
