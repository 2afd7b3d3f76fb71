"""How does a customer get an invoice once more?"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads_contacts import billing_contacts
from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.notifications.errors import invoice_not_sendable, recipient_missing
from billwright.features.notifications.messages import MessageType, amount_label, day_label
from billwright.features.notifications.model import NewRequest
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.features.notifications.rules.recipients import Recipient, recipients_of
from billwright.features.payment_methods.model import StoredMethod
from billwright.features.payment_methods.sql.reads import chargeable_defaults
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

_UNSENDABLE = {InvoiceState.DRAFT, InvoiceState.FINALIZING, InvoiceState.VOID}


async def send_invoice(tx: Tx, invoice_id: UUID) -> int:
    """Ask for the message about an invoice again, as the invoice stands now; how many people get it.

    Each request is one of its own, whatever was sent before. Refuses: `invoice_unknown`,
    `invoice_not_sendable`, `recipient_missing`.
    """
    account = await lock_account(tx, (await invoice_by_id(tx, invoice_id)).account_id)
    invoice = await invoice_by_id(tx, invoice_id)
    if invoice.kind is not DocumentKind.INVOICE or invoice.state in _UNSENDABLE:
        raise invoice_not_sendable(kind=invoice.kind.value, state=invoice.state.value)
    contacts = await billing_contacts(tx, [account.id])
    recipients = recipients_of(account, contacts.get(account.id, ()))
    if not recipients:
        raise recipient_missing(account_id=account.id)
    method = (await chargeable_defaults(tx, [account.id])).get(account.id)
    sending = new_id()
    await request_messages(
        tx,
        [
            _request(tx, invoice, account=account, recipient=one, method=method, sending=sending)
            for one in recipients
        ],
    )
    tx.audit(
        "invoice.send",
        subject_type="invoice",
        subject_id=invoice.id,
        details={"recipients": len(recipients)},
    )
    return len(recipients)


def invoice_data(
    *,
    number: str,
    due: Money,
    due_on: date,
    locale: str,
    method: StoredMethod | None,
) -> dict[str, str]:
    """What a message says of an invoice; who is charged by themselves is told with what."""
    data = {
        "invoice_number": number,
        "amount_label": amount_label(due, locale=locale),
        "due_on_label": day_label(due_on, locale=locale),
    }
    if method is not None and due.amount_minor > 0:
        data["collection_label"] = method.label
    return data


def _request(
    tx: Tx,
    invoice: Invoice,
    *,
    account: Account,
    recipient: Recipient,
    method: StoredMethod | None,
    sending: UUID,
) -> NewRequest:
    assert invoice.number is not None  # noqa: S101 - it is finalized
    assert invoice.due_on is not None  # noqa: S101 - likewise
    locale = recipient.locale
    data = invoice_data(
        number=invoice.number,
        due=Money(invoice.due_minor, invoice.currency),
        due_on=invoice.due_on,
        locale=locale,
        method=method,
    )
    if invoice.due_minor <= 0:
        total = Money(invoice.total_minor, invoice.currency)
        data["total_label"] = amount_label(total, locale=locale)
    return NewRequest(
        type=MessageType.INVOICE_FINALIZED.value,
        account_id=account.id,
        contact_id=recipient.contact_id,
        locale=locale,
        subject_type="invoice",
        subject_id=invoice.id,
        data={"account_name": account.name, **data},
        dedup_key=recipient.dedup_key(f"invoice.sent:{invoice.id}:{sending}"),
        occurred_at=tx.now,
    )
