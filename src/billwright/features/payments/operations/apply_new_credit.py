"""How does credit that has just come about pay what its account owes already?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.operations.lock_invoice import lock_payable_invoices
from billwright.features.invoicing.operations.pay_with_credit import pay_with_credit
from billwright.features.invoicing.rules.account_credit import shares_of_credit
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.features.subscriptions.operations.activate_subscriptions import (
    activate_subscriptions,
)
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

# One command holds them all until its commit, with what follows from each that is settled.
MOST_INVOICES = 100


@dataclass(frozen=True, slots=True)
class AppliedCredit:
    """What credit has paid, by invoice, and the invoices that it left to a payment under way."""

    paid: tuple[tuple[UUID, Money], ...] = ()
    passed_over: tuple[UUID, ...] = ()


async def grant_and_apply(tx: Tx, command: ChangeCredit) -> AppliedCredit:
    """Grant credit, and let that much pay what the account owes.

    Refuses: what `grant_credit` refuses.
    """
    await grant_credit(tx, command)
    return await _apply(tx, command.account_id, credit=command.amount)


async def credit_and_apply(tx: Tx, command: CreditInvoice) -> Invoice:
    """Issue a credit note, and let what it leaves with the account pay what that owes; the note.

    Refuses: what `credit_invoice` refuses.
    """
    note = await credit_invoice(tx, command)
    await _apply(tx, note.account_id, credit=Money(note.to_balance_minor, note.currency))
    return note


async def _apply(tx: Tx, account_id: UUID, *, credit: Money) -> AppliedCredit:
    """What is due first is paid first. An invoice with a payment under way is passed over: its money
    may be on its way, or its payer on the page.
    """
    if not credit.amount_minor:
        return AppliedCredit()
    invoices = await lock_payable_invoices(
        tx, account_id, currency=credit.currency, limit=MOST_INVOICES
    )
    live = await live_attempts_of(tx, [one.id for one in invoices])
    free = [one for one in invoices if one.id not in live]
    shares = shares_of_credit(credit.amount_minor, [one.due_minor for one in free])
    paid = [(one, share) for one, share in zip(free, shares, strict=True) if share]
    await pay_with_credit(tx, paid)
    settled = [invoice.id for invoice, share in paid if share == invoice.due_minor]
    await activate_subscriptions(tx, invoice_ids=settled)
    return AppliedCredit(
        tuple([(invoice.id, Money(share, credit.currency)) for invoice, share in paid]),
        tuple([one.id for one in invoices if one.id in live]),
    )
