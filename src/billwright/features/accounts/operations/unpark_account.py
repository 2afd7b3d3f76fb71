"""How do billing runs come again to an account that was parked?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.errors import account_version_stale
from billwright.features.accounts.events import AccountUnparked
from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.writes import set_parked_reason
from billwright.runtime.db.tx import Tx


async def unpark_account(
    tx: Tx, account_id: UUID, *, expected_version: int | None = None
) -> Account:
    """Let billing runs come again; what fell due meanwhile is billed by the next one, and an account
    that still cannot be billed is parked again. One that is not parked stays as it is.

    Refuses: `account_unknown`, `account_version_stale`.
    """
    account = await lock_account(tx, account_id)
    if expected_version not in {None, account.version}:
        raise account_version_stale(expected=expected_version, actual=account.version)
    if account.parked_reason is None:
        return account
    await set_parked_reason(tx, account_id=account_id, reason=None)
    tx.publish(
        AccountUnparked(subject_id=account_id, account_id=account_id, reason=account.parked_reason)
    )
    tx.audit(
        "account.unpark",
        subject_type="account",
        subject_id=account_id,
        details={"reason": account.parked_reason},
    )
    return replace(account, parked_reason=None, version=account.version + 1, updated_at=tx.now)
