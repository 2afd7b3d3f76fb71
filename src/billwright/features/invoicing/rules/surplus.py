"""Where does the money of a document go that gives back more than it charges?"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.invoicing.model import InvoiceDraft, NewCharge, Surplus


@dataclass(frozen=True, slots=True)
class CorrectedInvoice:
    """A finalized invoice of which lines are given back; amounts in minor units. `refundable_minor` is
    what was paid on it, less what was promised back.
    """

    id: UUID
    due_minor: int
    refundable_minor: int


@dataclass(frozen=True, slots=True)
class SurplusAllocation:
    """What makes invoices' due amounts smaller, what stays as the account's credit, and what is paid
    back; `corrects_invoice_id` is the invoice when it is a single one.
    """

    offsets: tuple[tuple[UUID, int], ...] = ()
    to_balance_minor: int = 0
    to_refund_minor: int = 0
    corrects_invoice_id: UUID | None = None


NO_SURPLUS = SurplusAllocation()


def by_invoice(draft: InvoiceDraft, invoices: Mapping[UUID, UUID]) -> tuple[InvoiceDraft, ...]:
    """A draft as one for each invoice that its lines correct, by the charge that they take back; what
    corrects none stays with the first.
    """
    parts: dict[UUID, list[NewCharge]] = {}
    others: list[NewCharge] = []
    for charge in draft.charges:
        corrected = charge.corrects_charge_id
        invoice_id = invoices.get(corrected) if corrected is not None else None
        if invoice_id is None:
            others.append(charge)
        else:
            parts.setdefault(invoice_id, []).append(charge)
    if len(parts) < 2:
        return (draft,)
    first, *rest = parts.values()
    return tuple(replace(draft, charges=tuple(part)) for part in ([*others, *first], *rest))


def allocated_surplus(
    amount_minor: int,
    corrected: Sequence[CorrectedInvoice],
    *,
    surplus: Surplus,
    due_minor: MutableMapping[UUID, int],
) -> SurplusAllocation:
    """First what is still due on the corrected invoices is offset: nobody is to pay for what was taken
    back. The rest is refunded where that is asked for, up to what was paid, or becomes credit.

    `due_minor` is what is still due by invoice, and is used up. A refund names the one invoice whose
    payment it returns, so that a note on several invoices refunds nothing.
    """
    left = amount_minor
    offsets = []
    for invoice in corrected:
        offset = min(left, due_minor.setdefault(invoice.id, invoice.due_minor))
        if offset > 0:
            offsets.append((invoice.id, offset))
            due_minor[invoice.id] -= offset
            left -= offset
    only = corrected[0] if len(corrected) == 1 else None
    refund = 0
    if surplus is Surplus.TO_REFUND and only is not None:
        refund = min(left, max(only.refundable_minor, 0))
    return SurplusAllocation(
        offsets=tuple(offsets),
        to_balance_minor=left - refund,
        to_refund_minor=refund,
        corrects_invoice_id=only.id if only else None,
    )
