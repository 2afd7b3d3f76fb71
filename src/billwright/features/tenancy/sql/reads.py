"""What does the database know of tenants?"""

from __future__ import annotations

import msgspec

from billwright.features.tenancy.model import Seller, Tenant
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx


async def the_tenant(tx: Tx) -> Tenant:
    """The tenant that the transaction runs for."""
    row = await tx.fetch_row(
        "select code, name, created_at from tenant where tenant_id = $1", tx.tenant_id
    )
    assert row is not None  # noqa: S101 - tenants are never deleted
    return Tenant(id=tx.tenant_id, **row)


async def the_seller(tx: Tx) -> Seller:
    """The tenant's seller; a tenant is created with one."""
    seller = await find_seller(tx)
    assert seller is not None  # noqa: S101 - tenant and seller are one commit
    return seller


async def find_seller(tx: Tx) -> Seller | None:
    """The tenant's seller, for what goes on without one."""
    row = await tx.fetch_row(
        """select id, party, currency, locale, zone, payment_terms_days, fiscal_year_start_month,
               tax_rates, small_business_exempt, oss_registered_since, tax_engine,
               proration_granularity, rounding, minimum_invoice, repeated_trials
           from seller where tenant_id = $1 order by id limit 1""",
        tx.tenant_id,
    )
    if row is None:
        return None
    values = {
        **row,
        "party": from_json(row["party"]),
        "tax_rates": from_json(row["tax_rates"]),
        "minimum_invoice": from_json(row["minimum_invoice"]),
    }
    return msgspec.convert(values, Seller)
