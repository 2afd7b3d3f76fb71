"""How does one payment at a time reach an invoice, or those that an account has to pay?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.invoicing.errors import invoice_stale, invoice_unknown
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id, invoice_from_row
from billwright.features.invoicing.sql.writes import lock_invoice_row, lock_payable_rows
from billwright.kernel.currency import Currency
from billwright.runtime.db.tx import Tx


async def lock_invoice(tx: Tx, invoice_id: UUID, *, expected_version: int | None = None) -> Invoice:
    """An invoice, locked until the commit, after its account.

    Refuses: `invoice_unknown`, `invoice_stale`.
    """
    await lock_account(tx, (await invoice_by_id(tx, invoice_id)).account_id)
    row = await lock_invoice_row(tx, invoice_id)
    if row is None:
        raise invoice_unknown(invoice_id=invoice_id)
    if expected_version not in {None, row["version"]}:
        raise invoice_stale(invoice_id=invoice_id, version=row["version"])
    return invoice_from_row(row)


async def lock_payable_invoices(
    tx: Tx, account_id: UUID, *, currency: Currency, limit: int
) -> list[Invoice]:
    """Up to `limit` invoices that an account has to pay, locked until the commit, after it: what is due
    first comes first.

    Refuses: `account_unknown`.
    """
    await lock_account(tx, account_id)
    rows = await lock_payable_rows(tx, account_id, currency=currency.code, limit=limit)
    return [invoice_from_row(row) for row in rows]
