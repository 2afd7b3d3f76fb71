"""Where does the money of a credit note go?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.invoicing.errors import (
    allocation_differs,
    allocation_negative,
    credit_above_due,
    refund_above_paid,
)
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The parts of a note's total, in minor units: what makes the invoice's due amount smaller, what
    stays with the seller as the account's credit, and what is paid back.
    """

    to_invoice_minor: int = 0
    to_balance_minor: int = 0
    to_refund_minor: int = 0


def allocated(
    wanted: Allocation | None,
    *,
    total_minor: int,
    due_minor: int,
    refundable_minor: int,
    currency: Currency,
) -> Allocation:
    """The allocation that is asked for; else what is still due is offset, and the rest is credit.

    All amounts are positive. `refundable_minor` is what was paid on the invoice, less earlier refunds.
    Refuses: `allocation_negative`, `allocation_differs`, `credit_above_due`, `refund_above_paid`.
    """
    if wanted is None:
        offset_minor = min(total_minor, due_minor)
        return Allocation(
            to_invoice_minor=offset_minor, to_balance_minor=total_minor - offset_minor
        )
    parts = (wanted.to_invoice_minor, wanted.to_balance_minor, wanted.to_refund_minor)
    if min(parts) < 0:
        raise allocation_negative(pointer="/allocation")
    if sum(parts) != total_minor:
        raise allocation_differs(
            pointer="/allocation",
            allocated=str(Money(sum(parts), currency)),
            total=str(Money(total_minor, currency)),
        )
    if wanted.to_invoice_minor > due_minor:
        raise credit_above_due(
            pointer="/allocation/to_invoice",
            amount=str(Money(wanted.to_invoice_minor, currency)),
            due=str(Money(due_minor, currency)),
        )
    if wanted.to_refund_minor > refundable_minor:
        raise refund_above_paid(
            pointer="/allocation/to_refund",
            amount=str(Money(wanted.to_refund_minor, currency)),
            refundable=str(Money(refundable_minor, currency)),
        )
    return wanted
