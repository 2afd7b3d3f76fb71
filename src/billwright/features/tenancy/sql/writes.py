"""How do tenants change?"""

from __future__ import annotations

from dataclasses import fields

from billwright.features.tenancy.model import Seller
from billwright.runtime.db.json import to_json
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
    await tx.insert("seller", [{"id": seller.id, **_columns(seller), "created_at": tx.now}])


async def lock_seller(tx: Tx) -> None:
    """Keep the tenant's seller as it is until the commit."""
    await tx.execute("select from seller where tenant_id = $1 for update", tx.tenant_id)


async def update_seller_row(tx: Tx, seller: Seller) -> None:
    """Store what has become of the tenant's seller; its id stays."""
    columns = _columns(seller)
    names = ", ".join(columns)
    await tx.execute(
        f"""update seller s set ({names}) = (
                select {names} from json_populate_record(null::seller, $3::json))
            where s.tenant_id = $1 and s.id = $2""",
        tx.tenant_id,
        seller.id,
        to_json(columns),
    )


def _columns(seller: Seller) -> dict[str, object]:
    """Everything of a seller that may change."""
    return {
        field.name: getattr(seller, field.name) for field in fields(Seller) if field.name != "id"
    }


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
