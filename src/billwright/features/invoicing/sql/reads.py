"""What does the database know of invoices?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import TypedDict, Unpack
from uuid import UUID

import asyncpg
import msgspec

from billwright.features.invoicing.errors import invoice_unknown
from billwright.features.invoicing.model import (
    ChargeId,
    ChargeKind,
    DocumentKind,
    Invoice,
    InvoiceId,
    InvoiceLine,
    InvoiceState,
    LiveCharge,
)
from billwright.features.invoicing.sql.charge_rows import CHARGE_COLUMNS, live_from_rows
from billwright.features.tax.model import CategoryCode, LegalNote, TreatmentKind, VatIdStatus
from billwright.features.tax.rules.document_tax import TaxPart
from billwright.kernel.currency import currency_of
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

INVOICE_COLUMNS = """i.id, i.account_id, i.kind, i.state, i.number, i.currency, i.subtotal_minor,
    i.tax_minor, i.total_minor, i.paid_minor, i.due_minor, i.taxes, i.tax_treatment, i.tax_country,
    i.tax_note, i.tax_code, i.vat_id_status, i.series_id, i.seller_party_id, i.buyer_party_id,
    i.corrects_invoice_id, i.reason, i.note, i.credit_applied_minor, i.credited_minor,
    i.to_balance_minor, i.to_refund_minor, i.locale, i.zone, i.reference, i.period_start, i.period_end,
    i.finalized_at, i.issued_on, i.due_on, i.paid_at, i.voided_at, i.uncollectible_at,
    i.version, i.created_at, i.updated_at, i.collect_at"""


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


class InvoiceFilter(TypedDict, total=False):
    """Which documents are asked for. Instants are from the first one on and up to the second one; days
    are counted in.
    """

    account_id: UUID | None
    subscription_id: UUID | None
    state: InvoiceState | None
    kind: DocumentKind | None
    corrects_invoice_id: UUID | None
    number: str | None
    created_after: datetime | None
    created_before: datetime | None
    issued_from: date | None
    issued_until: date | None
    due_from: date | None
    due_until: date | None


async def list_invoices(
    tx: Tx, *, before: UUID | None, limit: int, **asked: Unpack[InvoiceFilter]
) -> list[Invoice]:
    """Invoices and credit notes, newest first, that come after the one named `before` in that order."""
    found = Conditions("i.tenant_id = {}", tx.tenant_id)
    found.add("i.id < {}", before)
    found.add("i.account_id = {}", asked.get("account_id"))
    # In the words of the index: a parameter in place of the state would hide that it serves.
    found.add_text(f"i.state = '{state}'" if (state := asked.get("state")) else None)
    found.add(
        """exists (select from charge c where c.tenant_id = i.tenant_id and c.invoice_id = i.id
               and c.subscription_id = {})""",
        asked.get("subscription_id"),
    )
    found.add("i.kind = {}", asked.get("kind"))
    found.add("i.corrects_invoice_id = {}", asked.get("corrects_invoice_id"))
    found.add("i.number = {}", asked.get("number"))
    found.add("i.created_at >= {}", asked.get("created_after"))
    found.add("i.created_at < {}", asked.get("created_before"))
    found.add("i.issued_on >= {}", asked.get("issued_from"))
    found.add("i.issued_on <= {}", asked.get("issued_until"))
    found.add("i.due_on >= {}", asked.get("due_from"))
    found.add("i.due_on <= {}", asked.get("due_until"))
    rows = await tx.fetch(
        f"""select {INVOICE_COLUMNS} from invoice i where {found.sql}
            order by i.id desc limit {found.parameter(limit)}""",
        *found.values,
    )
    return [invoice_from_row(row) for row in rows]


async def lines_of(tx: Tx, invoice_id: UUID) -> list[InvoiceLine]:
    """An invoice's lines in the order of the document."""
    rows = await tx.fetch(
        """select id, position, subscription_id, plan_component_id, kind, description, period_start,
               period_end, quantity, unit_name, unit_price, amount_minor, tax_category, tax_rate,
               tax_minor, discount_minor, tax_inclusive, corrects_charge_id
           from charge where tenant_id = $1 and invoice_id = $2 order by position""",
        tx.tenant_id,
        invoice_id,
    )
    return [
        InvoiceLine(**{**row, "id": ChargeId(row["id"]), "kind": ChargeKind(row["kind"])})
        for row in rows
    ]


async def charges_of_invoice(tx: Tx, invoice_id: UUID) -> list[LiveCharge]:
    """What its lines were made of, in the order of the document."""
    rows = await tx.fetch(
        f"""select {CHARGE_COLUMNS} from charge c
            where c.tenant_id = $1 and c.invoice_id = $2 order by c.position""",
        tx.tenant_id,
        invoice_id,
    )
    return await live_from_rows(tx, rows)


async def charges_by_id(tx: Tx, charge_ids: Sequence[UUID]) -> dict[UUID, LiveCharge]:
    """Charges as they were written down, whether or not they were taken back since."""
    rows = await tx.fetch(
        f"""select {CHARGE_COLUMNS} from charge c
            where c.tenant_id = $1 and c.id = any($2::uuid[])""",
        tx.tenant_id,
        charge_ids,
    )
    return {one.id: one for one in await live_from_rows(tx, rows)}


async def live_charges(
    tx: Tx, subscription_ids: Sequence[UUID], *, at: datetime
) -> dict[UUID, list[LiveCharge]]:
    """What was charged to subscriptions for periods that go on after `at` and is not taken back."""
    rows = await tx.fetch(
        # The last condition is that of the index, which the planner does not derive from another.
        f"""select {CHARGE_COLUMNS} from charge c
            where c.tenant_id = $1 and c.subscription_id = any($2::uuid[])
                and c.kind in ('recurring', 'minimum') and c.period_end > $3 and c.reversed_from is null
                and c.reversed_from is distinct from c.period_start
            order by c.period_start, c.id""",
        tx.tenant_id,
        subscription_ids,
        at,
    )
    by_subscription: dict[UUID, list[LiveCharge]] = defaultdict(list)
    for row, live in zip(rows, await live_from_rows(tx, rows), strict=True):
        by_subscription[row["subscription_id"]].append(live)
    return dict(by_subscription)


async def pending_charges(
    tx: Tx, account_ids: Sequence[UUID]
) -> dict[tuple[UUID, str], list[LiveCharge]]:
    """What waits for a document, by account and currency, in the order in which it was charged."""
    rows = await tx.fetch(
        f"""select {CHARGE_COLUMNS} from charge c
            where c.tenant_id = $1 and c.account_id = any($2::uuid[]) and c.invoice_id is null
            order by c.id""",
        tx.tenant_id,
        account_ids,
    )
    by_payer: dict[tuple[UUID, str], list[LiveCharge]] = defaultdict(list)
    for row, live in zip(rows, await live_from_rows(tx, rows), strict=True):
        by_payer[row["account_id"], row["currency"]].append(live)
    return dict(by_payer)


async def latest_reversals(tx: Tx, subscription_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Up to when charges of each subscription were taken back at the latest: nothing before that can
    be changed any more.
    """
    rows = await tx.fetch(
        """select subscription_id, max(reversed_from) as at from charge
           where tenant_id = $1 and subscription_id = any($2::uuid[]) and reversed_from is not null
           group by subscription_id""",
        tx.tenant_id,
        subscription_ids,
    )
    return {row["subscription_id"]: row["at"] for row in rows}


async def one_time_components(
    tx: Tx, subscription_ids: Sequence[UUID]
) -> dict[UUID, frozenset[UUID]]:
    """The components of each subscription whose one-time charge was made and not taken back."""
    rows = await tx.fetch(
        """select subscription_id, array_agg(plan_component_id) as components from charge
           where tenant_id = $1 and subscription_id = any($2::uuid[]) and kind = 'one_time'
               and reversed_from is distinct from period_start
           group by subscription_id""",
        tx.tenant_id,
        subscription_ids,
    )
    return {row["subscription_id"]: frozenset(row["components"]) for row in rows}


async def open_invoices_of(tx: Tx, subscription_id: UUID) -> list[tuple[UUID, int]]:
    """The invoices of a subscription on which something is due, with what money has paid on each."""
    rows = await tx.fetch(
        # What is said of charges is the condition of the index on their identity.
        """select distinct i.id, i.paid_minor from charge c
           join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id
           where c.tenant_id = $1 and c.subscription_id = $2
               and c.kind in ('recurring', 'one_time', 'usage', 'minimum')
               and c.reversed_from is distinct from c.period_start
               and i.state in ('open', 'partially_paid')""",
        tx.tenant_id,
        subscription_id,
    )
    return [(row["id"], row["paid_minor"]) for row in rows]


async def states_of_documents(tx: Tx, account_id: UUID) -> set[InvoiceState]:
    """The states in which an account's invoices and credit notes are."""
    rows = await tx.fetch(
        "select distinct state from invoice where tenant_id = $1 and account_id = $2",
        tx.tenant_id,
        account_id,
    )
    return {InvoiceState(row["state"]) for row in rows}


async def earliest_collection(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When the money of an invoice is first asked for on a test clock."""
    at: datetime | None = await tx.fetch_value(
        """select min(i.collect_at) from account a
           join invoice i on i.tenant_id = a.tenant_id and i.account_id = a.id
           where a.tenant_id = $1 and a.test_clock_id = $2 and i.collect_at is not null""",
        tx.tenant_id,
        test_clock_id,
    )
    return at


async def still_due(tx: Tx, invoice_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the invoices on which money is due now."""
    rows = await tx.fetch(
        """select id from invoice
           where tenant_id = $1 and id = any($2) and state in ('open', 'partially_paid')
               and due_minor > 0""",
        tx.tenant_id,
        list(invoice_ids),
    )
    return {row["id"] for row in rows}


async def party_data(tx: Tx, party_ids: list[UUID]) -> dict[UUID, dict[str, object]]:
    """Parties as they were when a document was finalized."""
    rows = await tx.fetch(
        "select id, data from party where tenant_id = $1 and id = any($2::uuid[])",
        tx.tenant_id,
        party_ids,
    )
    return {row["id"]: from_json(row["data"]) for row in rows}


def invoice_from_row(row: asyncpg.Record) -> Invoice:
    """An invoice from a row that holds its columns."""
    treatment, note, code = row["tax_treatment"], row["tax_note"], row["tax_code"]
    vat_id_status = row["vat_id_status"]
    return Invoice(
        **{
            **row,
            "id": InvoiceId(row["id"]),
            "kind": DocumentKind(row["kind"]),
            "state": InvoiceState(row["state"]),
            "currency": currency_of(row["currency"]),
            "taxes": tuple(msgspec.convert(from_json(row["taxes"]), list[TaxPart])),
            "tax_treatment": TreatmentKind(treatment) if treatment else None,
            "tax_note": LegalNote(note) if note else None,
            "tax_code": CategoryCode(code) if code else None,
            "vat_id_status": VatIdStatus(vat_id_status) if vat_id_status else None,
        }
    )
