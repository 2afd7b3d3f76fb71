"""How do tenants change?"""

from __future__ import annotations

from billwright.features.tenancy.model import Seller
from billwright.runtime.db.tx import Tx


async def insert_tenant(tx: Tx, *, code: str, name: str) -> bool:
    """Store the tenant that the transaction is already running for; false when the code is taken."""
    inserted = await tx.execute(
        """insert into tenant (tenant_id, code, name, created_at) values ($1, $2, $3, $4)
           on conflict (code) do nothing""",
        tx.tenant_id,
        code,
        name,
        tx.now,
    )
    return inserted == 1


async def insert_seller(tx: Tx, seller: Seller) -> None:
    """Store the tenant's seller."""
    await tx.insert(
        "seller",
        [
            {
                "id": seller.id,
                "party": seller.party,
                "currency": seller.currency,
                "locale": seller.locale,
                "zone": seller.zone,
                "payment_terms_days": seller.payment_terms_days,
                "fiscal_year_start_month": seller.fiscal_year_start_month,
                "tax_rates": seller.tax_rates,
                "small_business_exempt": seller.small_business_exempt,
                "oss_registered_since": seller.oss_registered_since,
                "created_at": tx.now,
            }
        ],
    )


async def advance_counter(tx: Tx, name: str) -> int:
    """The counter's next value, starting at 1; its row stays locked until the commit."""
    value: int = await tx.fetch_value(
        """insert into tenant_counter (tenant_id, name, last_value) values ($1, $2, 1)
           on conflict (tenant_id, name)
               do update set last_value = tenant_counter.last_value + 1
           returning last_value""",
        tx.tenant_id,
        name,
    )
    return value
