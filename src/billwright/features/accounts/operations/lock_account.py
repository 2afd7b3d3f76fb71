"""How do commands on one account's data run one after the other?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.errors import account_unknown
from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import account_from_row
from billwright.features.accounts.sql.writes import lock_account_row
from billwright.runtime.db.tx import Tx


async def lock_account(tx: Tx, account_id: UUID) -> Account:
    """An account, locked until the commit; the transaction takes the time of its test clock.

    Every command on an account's data begins here. Refuses: `account_unknown`.
    """
    row = await lock_account_row(tx, account_id)
    if row is None:
        raise account_unknown(account_id=account_id)
    if row["clock_now"] is not None:
        tx.move_to(row["clock_now"])
    return account_from_row(row)
