"""What does the database know of what was given back, and of the credit of accounts?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.model import CreditEntry, CreditEntryKind, Invoice
from billwright.features.invoicing.rules.credit_note import CreditableLine
from billwright.features.invoicing.rules.surplus import CorrectedInvoice
from billwright.features.invoicing.sql.reads import INVOICE_COLUMNS, invoice_from_row, lines_of
from billwright.kernel.currency import Currency, currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class Corrected:
    """The charge that another one corrects, and the number of the document that it stands on."""

    charge_id: UUID
    number: str | None


async def creditable_lines(tx: Tx, invoice_id: UUID) -> list[CreditableLine]:
    """An invoice's lines with what was given back of them: by its credit notes, by lines of later
    documents, and by credits that wait for one. What a void document gave back counts no more; what
    became of that waits anew.
    """
    rows = await tx.fetch(
        """select c.id, c.credited_minor,
               coalesce(-sum(k.tax_minor) filter (where i.state <> 'void'), 0)::bigint
                   as credited_tax_minor,
               coalesce(-sum(k.amount_minor) filter (where k.invoice_id is null), 0)::bigint
                   as waiting_minor
           from charge c
           left join charge k on k.tenant_id = c.tenant_id and k.corrects_charge_id = c.id
           left join invoice i on i.tenant_id = k.tenant_id and i.id = k.invoice_id
           where c.tenant_id = $1 and c.invoice_id = $2
           group by c.id, c.credited_minor""",
        tx.tenant_id,
        invoice_id,
    )
    given = {row["id"]: row for row in rows}
    return [
        CreditableLine(
            line,
            credited_minor=given[line.id]["credited_minor"],
            credited_tax_minor=given[line.id]["credited_tax_minor"],
            waiting_minor=given[line.id]["waiting_minor"],
        )
        for line in await lines_of(tx, invoice_id)
    ]


async def refunded_minor(tx: Tx, invoice_id: UUID) -> int:
    """What the credit notes on an invoice have promised to pay back, in minor units."""
    refunded: int = await tx.fetch_value(
        """select coalesce(sum(to_refund_minor), 0)::bigint from invoice
           where tenant_id = $1 and corrects_invoice_id = $2 and corrects_invoice_id is not null""",
        tx.tenant_id,
        invoice_id,
    )
    return refunded


async def promised_refunds(tx: Tx, invoice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The same for several invoices, of those whose notes have promised something."""
    rows = await tx.fetch(
        """select corrects_invoice_id, sum(to_refund_minor)::bigint as promised from invoice
           where tenant_id = $1 and corrects_invoice_id = any($2::uuid[])
               and corrects_invoice_id is not null
           group by corrects_invoice_id""",
        tx.tenant_id,
        invoice_ids,
    )
    return {row["corrects_invoice_id"]: row["promised"] for row in rows}


async def refunding_notes(tx: Tx, invoice_id: UUID) -> list[Invoice]:
    """The credit notes on an invoice that have promised to pay something back, the first one first."""
    rows = await tx.fetch(
        f"""select {INVOICE_COLUMNS} from invoice i
            where i.tenant_id = $1 and i.corrects_invoice_id = $2
                and i.corrects_invoice_id is not null and i.to_refund_minor > 0
            order by i.id""",
        tx.tenant_id,
        invoice_id,
    )
    return [invoice_from_row(row) for row in rows]


async def corrected_invoices(tx: Tx, charge_ids: Sequence[UUID]) -> dict[UUID, CorrectedInvoice]:
    """The finalized invoices that these charges are on, by charge; those of void ones are left out."""
    rows = await tx.fetch(
        """select c.id as charge_id, i.id, i.due_minor,
               i.paid_minor - coalesce((
                   select sum(n.to_refund_minor) from invoice n
                   where n.tenant_id = i.tenant_id and n.corrects_invoice_id = i.id), 0)::bigint
                   as refundable_minor
           from charge c
           join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id
           where c.tenant_id = $1 and c.id = any($2::uuid[]) and i.number is not null
               and i.state <> 'void'""",
        tx.tenant_id,
        charge_ids,
    )
    return {
        row["charge_id"]: CorrectedInvoice(row["id"], row["due_minor"], row["refundable_minor"])
        for row in rows
    }


async def corrected_by_lines(tx: Tx, invoice_id: UUID) -> dict[UUID, Corrected]:
    """What the lines of a document correct, by line."""
    rows = await tx.fetch(
        """select c.id, o.id as charge_id, i.number
           from charge c
           join charge o on o.tenant_id = c.tenant_id and o.id = c.corrects_charge_id
           left join invoice i on i.tenant_id = o.tenant_id and i.id = o.invoice_id
           where c.tenant_id = $1 and c.invoice_id = $2""",
        tx.tenant_id,
        invoice_id,
    )
    return {row["id"]: Corrected(row["charge_id"], row["number"]) for row in rows}


async def credit_balance(tx: Tx, account_id: UUID, *, currency: Currency) -> Money:
    """What an account has with the seller in a currency."""
    balance_minor = await tx.fetch_value(
        """select balance_minor from credit_balance
           where tenant_id = $1 and account_id = $2 and currency = $3""",
        tx.tenant_id,
        account_id,
        currency.code,
    )
    return Money(balance_minor or 0, currency)


async def credit_balances(tx: Tx, account_id: UUID) -> list[Money]:
    """What an account has with the seller, in every currency in which it ever had something."""
    rows = await tx.fetch(
        """select currency, balance_minor from credit_balance
           where tenant_id = $1 and account_id = $2 order by currency""",
        tx.tenant_id,
        account_id,
    )
    return [Money(row["balance_minor"], currency_of(row["currency"])) for row in rows]


async def list_credit_entries(
    tx: Tx, account_id: UUID, *, currency: str | None, before: UUID | None, limit: int
) -> list[CreditEntry]:
    """What moved an account's credit, newest first, that comes after the one named `before` in that
    order.
    """
    rows = await tx.fetch(
        """select id, account_id, currency, kind, amount_minor, balance_minor, invoice_id, reason,
               created_at
           from credit_entry
           where tenant_id = $1 and account_id = $2 and ($3::text is null or currency = $3)
               and ($4::uuid is null or id < $4)
           order by id desc limit $5""",
        tx.tenant_id,
        account_id,
        currency,
        before,
        limit,
    )
    return [
        CreditEntry(
            id=row["id"],
            account_id=row["account_id"],
            currency=currency_of(row["currency"]),
            kind=CreditEntryKind(row["kind"]),
            amount_minor=row["amount_minor"],
            balance_minor=row["balance_minor"],
            invoice_id=row["invoice_id"],
            reason=row["reason"],
            created_at=row["created_at"],
        )
        for row in rows
    ]
