"""How does a person write an invoice?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.errors import account_closed, account_reference_unknown
from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.invoicing.events import InvoiceDrafted
from billwright.features.invoicing.model import (
    DraftPurpose,
    Invoice,
    InvoiceDraft,
    InvoiceTiming,
)
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.rules.manual_line import ManualLine, manual_charges
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.invoicing.sql.writes_documents import set_texts
from billwright.kernel.currency import currency_of
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateManualInvoice:
    """An invoice of free lines, in the account's currency unless another is named.

    `reference` and `note` are printed: what it is about, and a text below the lines.
    """

    account_id: UUID
    lines: tuple[ManualLine, ...]
    currency: str | None = None
    reference: str = ""
    note: str = ""


async def create_manual_invoice(tx: Tx, command: CreateManualInvoice) -> Invoice:
    """Keep it as a draft, with the tax that it would have today.

    Refuses: `account_unknown_here`, `account_closed`, `currency_unknown`, `invoice_without_line`,
    `invoice_total_negative`, `line_too_large`, `line_period_reversed`, `tax_rate_unknown`.
    """
    account = await lock_paying_account(tx, command.account_id)
    currency = currency_of(command.currency or account.currency)
    charges = manual_charges(command.lines, written_at=tx.now, currency=currency)
    billed = await bill_charges(
        tx,
        [
            InvoiceDraft(
                account,
                currency,
                charges,
                command.reference,
                InvoiceTiming.AT_ONCE,
                DraftPurpose.KEEP_AS_DRAFT,
            )
        ],
    )
    (drafted,) = billed.documents
    if command.note:
        await set_texts(tx, drafted.id, reference=command.reference, note=command.note)
    tx.publish(
        InvoiceDrafted(
            subject_id=drafted.id,
            account_id=account.id,
            currency=currency.code,
            total_minor=drafted.total_minor,
        )
    )
    tx.audit("invoice.draft", subject_type="invoice", subject_id=drafted.id, details=command)
    return await invoice_by_id(tx, drafted.id)


async def lock_paying_account(tx: Tx, account_id: UUID) -> Account:
    """The account that a person bills by hand. Refuses: `account_unknown_here`, `account_closed`."""
    try:
        account = await lock_account(tx, account_id)
    except Refusal as refusal:
        if refusal.category is not Category.NOT_FOUND:
            raise
        raise account_reference_unknown(pointer="/account_id", account_id=account_id) from None
    if account.status is AccountStatus.CLOSED:
        raise account_closed(account_id=account_id)
    return account
