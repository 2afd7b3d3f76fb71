"""How does one piece of news at a time reach a payment that gives money back?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payments.model import Payment
from billwright.features.payments.sql.reads import payment_by_id
from billwright.features.refunds.model import Refund
from billwright.features.refunds.rules.refundable import PaymentMoney
from billwright.features.refunds.sql.reads import money_of_invoices, refund_by_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class LockedPayment:
    """A payment with its invoice, as they are under the locks of account and invoice.

    `money` is that of all payments of the invoice that have come, the newest first.
    """

    payment: Payment
    invoice: Invoice
    money: tuple[PaymentMoney, ...]

    @property
    def own_money(self) -> PaymentMoney | None:
        """What is left of the payment itself; none while nothing has come of it."""
        return next((one for one in self.money if one.payment_id == self.payment.id), None)


async def lock_payment(tx: Tx, payment_id: UUID) -> LockedPayment:
    """A payment whose money nobody else moves until the commit. Refuses: `payment_unknown`."""
    invoice = await lock_invoice(tx, (await payment_by_id(tx, payment_id)).invoice_id)
    money = (await money_of_invoices(tx, [invoice.id])).get(invoice.id, [])
    payment = await payment_by_id(tx, payment_id)  # again, now that the invoice is locked
    return LockedPayment(payment, invoice, tuple(money))


async def lock_refund(tx: Tx, refund_id: UUID) -> tuple[Refund, LockedPayment]:
    """A refund that nobody else changes until the commit. Refuses: `refund_unknown`."""
    locked = await lock_payment(tx, (await refund_by_id(tx, refund_id)).payment_id)
    return await refund_by_id(tx, refund_id), locked
