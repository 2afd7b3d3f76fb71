"""How do a few thousand subscribers come to be in a second? One is made by the product, the rest are
its copies, down to the first invoice."""

from __future__ import annotations

from decimal import Decimal

from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.pricing.rules.models.flat import Flat
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.only_commands import allow_writing_by_hand

# What differs in the copy number `n` of a row `t`; every other column is the original's.
_COPIES = {
    "account": "'id', pg_temp.copy_of(t.id, n), 'number', n + 1",
    "subscription": """'id', pg_temp.copy_of(t.id, n), 'number', n + 1,
        'account_id', pg_temp.copy_of(t.account_id, n)""",
    "subscription_item": """'id', pg_temp.copy_of(t.id, n),
        'subscription_id', pg_temp.copy_of(t.subscription_id, n)""",
    "charge": """'id', pg_temp.copy_of(t.id, n), 'account_id', pg_temp.copy_of(t.account_id, n),
        'subscription_id', pg_temp.copy_of(t.subscription_id, n),
        'invoice_id', pg_temp.copy_of(t.invoice_id, n)""",
    "invoice": """'id', pg_temp.copy_of(t.id, n), 'sequence', n + 1,
        'account_id', pg_temp.copy_of(t.account_id, n),
        'number', 'INV-2026-' || lpad((n + 1)::text, 5, '0')""",
    "entitlement_source": """'subscription_id', pg_temp.copy_of(t.subscription_id, n),
        'account_id', pg_temp.copy_of(t.account_id, n)""",
    "event": """'id', pg_temp.copy_of(t.id, n), 'subject_id', pg_temp.copy_of(t.subject_id, n),
        'account_id', pg_temp.copy_of(t.account_id, n), 'position', t.position * 1000000 + n""",
}


async def a_crowd(tenant: Tenant, count: int) -> None:
    """`count` accounts with one subscription each: a fee in advance and storage in arrears."""
    base = NewComponent(code="base", name="Base", prices=(("EUR", Flat(price=Decimal("29.00"))),))
    async with tenant.tx() as tx:
        await a_plan(tx, components=(base, in_arrears("storage", "3.10")))
        await a_subscription(tx, await an_account(tx))
    async with tenant.tx() as tx:
        await tx.execute(
            """create function pg_temp.copy_of(id uuid, n bigint) returns uuid language sql
               return md5(id::text || n::text)::uuid"""
        )
        for table, changes in _COPIES.items():
            await _copy(tx, table, changes=changes, count=count - 1)
        await tx.execute("update invoice_number set last_sequence = $1", count)
        await tx.execute("update tenant_counter set last_value = $1", count)
        await tx.execute("drop function pg_temp.copy_of")


async def _copy(tx: Tx, table: str, *, changes: str, count: int) -> None:
    columns = await tx.fetch_value(
        """select string_agg(quote_ident(attname), ', ') from pg_attribute
           where attrelid = $1::regclass and attnum > 0 and not attisdropped
               and attgenerated = ''""",
        table,
    )
    await allow_writing_by_hand(tx)
    await tx.execute(
        f"""insert into {table} ({columns})
            select {columns} from (
                select copy.* from {table} t, generate_series(1, $1) as n,
                    lateral jsonb_populate_record(t, jsonb_build_object({changes})) copy
            ) copies""",
        count,
    )
