"""What does the database know of invoices?"""

from __future__ import annotations

from uuid import UUID

import asyncpg
import msgspec

from billwright.features.invoicing.errors import invoice_unknown
from billwright.features.invoicing.model import (
    ChargeId,
    ChargeKind,
    Invoice,
    InvoiceId,
    InvoiceLine,
    InvoiceState,
)
from billwright.features.tax.model import CategoryCode, LegalNote, TreatmentKind, VatIdStatus
from billwright.features.tax.rules.document_tax import TaxPart
from billwright.kernel.currency import currency_of
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

INVOICE_COLUMNS = """i.id, i.account_id, i.state, i.number, i.currency, i.subtotal_minor, i.tax_minor,
    i.total_minor, i.paid_minor, i.due_minor, i.taxes, i.tax_treatment, i.tax_country, i.tax_note,
    i.tax_code, i.vat_id_status, i.seller_party_id, i.buyer_party_id, i.locale, i.zone, i.reference,
    i.period_start, i.period_end, i.finalized_at, i.issued_on, i.due_on, i.paid_at,
    i.version, i.created_at, i.updated_at"""


async def invoice_by_id(tx: Tx, invoice_id: UUID) -> Invoice:
    """One invoice. Refuses: `invoice_unknown`."""
    row = await tx.fetch_row(
        f"select {INVOICE_COLUMNS} from invoice i where i.tenant_id = $1 and i.id = $2",
        tx.tenant_id,
        invoice_id,
    )
    if row is None:
        raise invoice_unknown(invoice_id=invoice_id)
    return invoice_from_row(row)


async def list_invoices(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    subscription_id: UUID | None = None,
    state: InvoiceState | None = None,
) -> list[Invoice]:
    """Invoices, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {INVOICE_COLUMNS} from invoice i
            where i.tenant_id = $1 and ($2::uuid is null or i.id < $2)
                and ($4::uuid is null or i.account_id = $4)
                and ($5::text is null or i.state = $5)
                and ($6::uuid is null or exists (
                    select from charge c where c.tenant_id = i.tenant_id and c.invoice_id = i.id
                        and c.subscription_id = $6))
            order by i.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        state.value if state else None,
        subscription_id,
    )
    return [invoice_from_row(row) for row in rows]


async def lines_of(tx: Tx, invoice_id: UUID) -> list[InvoiceLine]:
    """An invoice's lines in the order of the document."""
    rows = await tx.fetch(
        """select id, position, subscription_id, kind, description, period_start, period_end,
               quantity, unit_name, unit_price, amount_minor, tax_category, tax_rate, tax_minor
           from charge where tenant_id = $1 and invoice_id = $2 order by position""",
        tx.tenant_id,
        invoice_id,
    )
    return [
        InvoiceLine(
            id=ChargeId(row["id"]),
            position=row["position"],
            subscription_id=row["subscription_id"],
            kind=ChargeKind(row["kind"]),
            description=row["description"],
            period_start=row["period_start"],
            period_end=row["period_end"],
            quantity=row["quantity"],
            unit_name=row["unit_name"],
            unit_price=row["unit_price"],
            amount_minor=row["amount_minor"],
            tax_category=row["tax_category"],
            tax_rate=row["tax_rate"],
            tax_minor=row["tax_minor"],
        )
        for row in rows
    ]


async def party_data(tx: Tx, party_ids: list[UUID]) -> dict[UUID, dict[str, object]]:
    """Parties as they were when a document was finalized."""
    rows = await tx.fetch(
        "select id, data from party where tenant_id = $1 and id = any($2::uuid[])",
        tx.tenant_id,
        party_ids,
    )
    return {row["id"]: from_json(row["data"]) for row in rows}


def invoice_from_row(row: asyncpg.Record) -> Invoice:
    return Invoice(
        id=InvoiceId(row["id"]),
        account_id=row["account_id"],
        state=InvoiceState(row["state"]),
        number=row["number"],
        currency=currency_of(row["currency"]),
        subtotal_minor=row["subtotal_minor"],
        tax_minor=row["tax_minor"],
        total_minor=row["total_minor"],
        paid_minor=row["paid_minor"],
        due_minor=row["due_minor"],
        taxes=tuple(msgspec.convert(from_json(row["taxes"]), list[TaxPart])),
        tax_treatment=TreatmentKind(row["tax_treatment"]),
        tax_country=row["tax_country"],
        tax_note=LegalNote(row["tax_note"]) if row["tax_note"] else None,
        tax_code=CategoryCode(row["tax_code"]),
        vat_id_status=VatIdStatus(row["vat_id_status"]) if row["vat_id_status"] else None,
        seller_party_id=row["seller_party_id"],
        buyer_party_id=row["buyer_party_id"],
        locale=row["locale"],
        zone=row["zone"],
        reference=row["reference"],
        period_start=row["period_start"],
        period_end=row["period_end"],
        finalized_at=row["finalized_at"],
        issued_on=row["issued_on"],
        due_on=row["due_on"],
        paid_at=row["paid_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
