"""How does an account's credit change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.invoicing.model import CreditChange
from billwright.features.invoicing.rules.account_credit import CreditKey
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def lock_credit(tx: Tx, account_ids: Sequence[UUID]) -> dict[CreditKey, int]:
    """What accounts have with the seller, in minor units, locked until the commit; nothing of those
    that have nothing.
    """
    rows = await tx.fetch(
        """select account_id, currency, balance_minor from credit_balance
           where tenant_id = $1 and account_id = any($2::uuid[]) and balance_minor > 0
           order by account_id, currency
           for no key update""",
        tx.tenant_id,
        account_ids,
    )
    return {(row["account_id"], row["currency"]): row["balance_minor"] for row in rows}


async def book_credit(
    tx: Tx, changes: Sequence[CreditChange], *, balances: Mapping[CreditKey, int]
) -> None:
    """Store changes of locked balances, one entry each, with what is left after it."""
    if not changes:
        return
    left: dict[CreditKey, int] = {}
    entries = []
    for change in changes:
        key = change.account_id, change.currency.code
        left[key] = left.get(key, balances.get(key, 0)) + change.amount_minor
        entries.append(
            {
                "id": new_id(),
                "account_id": change.account_id,
                "currency": change.currency.code,
                "kind": change.kind,
                "amount_minor": change.amount_minor,
                "balance_minor": left[key],
                "invoice_id": change.invoice_id,
                "reason": change.reason,
                "created_at": tx.now,
            }
        )
    await tx.execute(
        """insert into credit_balance (tenant_id, account_id, currency, balance_minor, updated_at)
           select $1, account_id, currency, balance_minor, $2
           from json_populate_recordset(null::credit_balance, $3::json)
           on conflict (tenant_id, account_id, currency)
               do update set balance_minor = excluded.balance_minor, updated_at = $2""",
        tx.tenant_id,
        tx.now,
        to_json(
            [
                {"account_id": account_id, "currency": currency, "balance_minor": balance_minor}
                for (account_id, currency), balance_minor in left.items()
            ]
        ),
    )
    await tx.insert("credit_entry", entries)
