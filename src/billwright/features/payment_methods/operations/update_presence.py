"""Can an account's money be collected without asking it, now that its methods have changed?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.payment_methods.sql.reads import default_method_of
from billwright.runtime.db.tx import Tx


async def update_presence(tx: Tx, account_id: UUID) -> None:
    """Let the account know whether it has a default method that can be charged."""
    default = await default_method_of(tx, account_id)
    present = default is not None and default.is_chargeable
    await set_payment_method_presence(tx, account_id, present=present)
