"""How does an account come to have credit, and lose it?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.invoicing.model import CreditChange
from billwright.features.invoicing.sql.writes_credit import book_credit, lock_credit
from billwright.runtime.db.tx import Tx


async def change_credit(tx: Tx, changes: Sequence[CreditChange]) -> None:
    """Book changes of what accounts have with the seller, in their order; the accounts are locked.

    Raises `IntegrityViolation` when an account would have less than nothing.
    """
    if changes:
        balances = await lock_credit(tx, list({change.account_id for change in changes}))
        await book_credit(tx, changes, balances=balances)
