"""How are charges written down, brought onto documents and taken back?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from billwright.features.invoicing.model import ChargeKind, InvoiceDraft, NewCharge
from billwright.features.invoicing.rules.collection import Payer
from billwright.features.invoicing.rules.prepared import PreparedDocument
from billwright.kernel.ids import new_id_text
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx

# A charge, the redemption of a promotion, and what that took off it in minor units.
DiscountRow = tuple[UUID, UUID, int]

_Row = dict[str, object]


async def insert_charges(
    tx: Tx,
    documents: Sequence[PreparedDocument],
    *,
    waiting: Mapping[Payer, Sequence[NewCharge]],
) -> list[DiscountRow]:
    """Store new charges, by one statement: as the lines of documents whose rows are stored next (what
    can be written before the series is locked need not be written under the lock), or waiting for one.
    Returns the discounts that they carry, now that the charges have ids.

    Raises `IntegrityViolation` when one of them was charged before.
    """
    charges = [charge for document in documents for charge in document.draft.charges]
    charges += [charge for own in waiting.values() for charge in own]
    rows = [row for document in documents for row in _lines(document)]
    rows += [row for payer, own in waiting.items() for row in _waiting(payer, charges=own)]
    # Of a plain renewal most lines have nothing of this, and each column of a row takes its time.
    has_more = any(map(_has_more, charges))
    if has_more:
        for row, charge in zip(rows, charges, strict=True):
            row["discount_minor"] = charge.discount_minor
            row["tax_inclusive"] = charge.tax_inclusive
            row["corrects_charge_id"] = charge.corrects_charge_id
            row["basis"] = charge.basis
    await tx.insert("charge", rows, shared={"created_at": tx.now})
    if not has_more:
        return []
    return [
        (UUID(str(row["id"])), redemption_id, amount_minor)
        for row, charge in zip(rows, charges, strict=True)
        for redemption_id, amount_minor in charge.discounts
    ]


def _has_more(charge: NewCharge) -> bool:
    return bool(
        charge.basis or charge.discounts or charge.tax_inclusive or charge.corrects_charge_id
    )


def _lines(document: PreparedDocument) -> Iterator[_Row]:
    draft, tax = document.draft, document.totals.tax
    account_id, currency = draft.account.id, draft.currency.code
    first = len(document.pulled)
    line_count = first + len(draft.charges)
    for position, charge in enumerate(draft.charges, start=first + 1):
        yield {
            "id": new_id_text(),
            "account_id": account_id,
            "subscription_id": charge.subscription_id,
            "plan_component_id": charge.plan_component_id,
            "kind": charge.kind,
            "period_start": charge.period_start,
            "period_end": charge.period_end,
            "description": charge.description,
            "quantity": charge.quantity,
            "unit_name": charge.unit_name,
            "unit_price": charge.unit_price,
            "currency": currency,
            "amount_minor": charge.amount_minor,
            "tax_category": charge.tax_category,
            "tax_rate": document.totals.rates[position - 1],
            "tax_minor": tax.line_tax_minor[position - 1],
            "invoice_id": document.id,
            "position": position,
            "line_count": line_count,
        }


def _waiting(payer: Payer, *, charges: Sequence[NewCharge]) -> Iterator[_Row]:
    account_id, currency = payer
    for charge in charges:
        yield {
            "id": new_id_text(),
            "account_id": account_id,
            "subscription_id": charge.subscription_id,
            "plan_component_id": charge.plan_component_id,
            "kind": charge.kind,
            "period_start": charge.period_start,
            "period_end": charge.period_end,
            "description": charge.description,
            "quantity": charge.quantity,
            "unit_name": charge.unit_name,
            "unit_price": charge.unit_price,
            "currency": currency,
            "amount_minor": charge.amount_minor,
            "tax_category": charge.tax_category,
            "tax_rate": charge.tax_rate,
            "tax_minor": None,
            "invoice_id": None,
            "position": None,
            "line_count": None,
        }


async def place_pulled_charges(tx: Tx, documents: Sequence[PreparedDocument]) -> None:
    """Bring charges that were stored before onto their documents, by one statement."""
    rows = [
        {
            "id": live.id,
            "invoice_id": document.id,
            "position": position,
            "line_count": len(document.pulled) + len(document.draft.charges),
            "tax_rate": document.totals.rates[position - 1],
            "tax_minor": document.totals.tax.line_tax_minor[position - 1],
        }
        for document in documents
        for position, live in enumerate(document.pulled, start=1)
    ]
    if not rows:
        return
    placed = await tx.execute(
        """update charge c
           set invoice_id = u.invoice_id, position = u.position, line_count = u.line_count,
               tax_rate = u.tax_rate, tax_minor = u.tax_minor
           from json_populate_recordset(null::charge, $2::json) as u
           where c.tenant_id = $1 and c.id = u.id
               and (c.invoice_id is null or c.invoice_id = u.invoice_id)""",
        tx.tenant_id,
        to_json(rows),
    )
    if placed != len(rows):
        raise RuntimeError(f"{len(rows)} waiting charges were to be invoiced, {placed} were")


async def take_back_charges(tx: Tx, drafts: Iterable[InvoiceDraft]) -> None:
    """Note on charges what the drafts' corrections give back of them, by one statement.

    A charge that does not take it, since it is another account's, was taken back before or has less
    left, means that whoever computed the correction did not look: a bug.
    """
    corrections: list[_Row] = [
        {
            "id": charge.corrects_charge_id,
            "account_id": draft.account.id,
            "currency": draft.currency.code,
            "reversed_from": (
                charge.period_start if charge.kind is ChargeKind.PRORATION_CREDIT else None
            ),
            "credited_minor": -charge.amount_minor,
        }
        for draft in drafts
        for charge in draft.charges
        if charge.corrects_charge_id is not None
    ]
    if not corrections:
        return
    taken = await tx.execute(
        """update charge c
           set reversed_from = coalesce(u.reversed_from, c.reversed_from),
               credited_minor = c.credited_minor + u.credited_minor
           from (select id, account_id, currency, min(reversed_from) as reversed_from,
                     sum(credited_minor)::bigint as credited_minor
                 from json_populate_recordset(null::charge, $2::json)
                 group by id, account_id, currency) as u
           where c.tenant_id = $1 and c.id = u.id and c.account_id = u.account_id
               and c.currency = u.currency
               and (u.reversed_from is null or c.reversed_from is null)""",
        tx.tenant_id,
        to_json(corrections),
    )
    wanted = len({row["id"] for row in corrections})
    if taken != wanted:
        raise RuntimeError(f"{wanted} charges were to be taken back, {taken} were")


async def restore_corrected(tx: Tx, invoice_id: UUID) -> None:
    """Note on charges that the corrections on an invoice, which is void, give nothing back of them."""
    await tx.execute(
        """update charge c
           set credited_minor = c.credited_minor + u.amount_minor,
               reversed_from = case when u.prorated then null else c.reversed_from end
           from (select corrects_charge_id, sum(amount_minor)::bigint as amount_minor,
                     bool_or(kind = 'proration_credit') as prorated
                 from charge
                 where tenant_id = $1 and invoice_id = $2 and corrects_charge_id is not null
                 group by corrects_charge_id) as u
           where c.tenant_id = $1 and c.id = u.corrects_charge_id""",
        tx.tenant_id,
        invoice_id,
    )
