"""How many invoices of each tenant wait for money?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billwright.runtime.db.database import Database


@dataclass(frozen=True, slots=True)
class UnpaidInvoices:
    """Invoices on which something is due, and those of them whose last day to pay is over."""

    unpaid: int
    overdue: int


async def count_unpaid_invoices(
    database: Database, *, tenants: int, at: datetime
) -> Mapping[str, UnpaidInvoices]:
    """By the codes of the first so many tenants."""
    rows = await database.unscoped("select * from count_unpaid_invoices($1, $2)", tenants, at)
    return {row["code"]: UnpaidInvoices(row["unpaid"], row["overdue"]) for row in rows}
