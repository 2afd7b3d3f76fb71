"""What does the database know of the reasons of lines?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.invoicing.rules.explanation import Correction, Window
from billwright.runtime.db.tx import Tx


async def rule_versions(tx: Tx, invoice_id: UUID) -> dict[UUID, int]:
    """By which version of its kind's rule each line of a document was computed."""
    rows = await tx.fetch(
        "select id, rule_version from charge where tenant_id = $1 and invoice_id = $2",
        tx.tenant_id,
        invoice_id,
    )
    return {row["id"]: row["rule_version"] for row in rows}


async def corrections(tx: Tx, invoice_id: UUID) -> dict[UUID, Correction]:
    """What the lines of a document take back, by line, and how much of it was left before them.

    Ids are ordered by time, so that a smaller one was there before. What a void document took back
    does not count, for what became of that has a line of its own.
    """
    rows = await tx.fetch(
        """select c.id, o.id as charge_id, i.number, o.period_start, o.period_end, o.amount_minor,
               o.amount_minor + o.discount_minor as listed_minor,
               (o.amount_minor + coalesce((
                   select sum(k.amount_minor) from charge k
                   left join invoice d on d.tenant_id = k.tenant_id and d.id = k.invoice_id
                   where k.tenant_id = o.tenant_id and k.corrects_charge_id = o.id and k.id < c.id
                       and d.state is distinct from 'void'), 0))::bigint as left_minor
           from charge c
           join charge o on o.tenant_id = c.tenant_id and o.id = c.corrects_charge_id
           left join invoice i on i.tenant_id = o.tenant_id and i.id = o.invoice_id
           where c.tenant_id = $1 and c.invoice_id = $2""",
        tx.tenant_id,
        invoice_id,
    )
    return {
        row["id"]: Correction(
            charge_id=row["charge_id"],
            invoice_number=row["number"],
            window=Window(row["period_start"], row["period_end"]),
            listed_minor=row["listed_minor"],
            amount_minor=row["amount_minor"],
            left_minor=row["left_minor"],
        )
        for row in rows
    }
