"""Does an account take anything new?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.errors import account_version_stale
from billwright.features.accounts.events import AccountClosed, AccountReopened
from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.writes import set_status
from billwright.runtime.db.tx import Tx


async def shut_account(tx: Tx, account: Account, *, reason: str) -> Account:
    """Let a locked account take nothing new. Whoever sees what it still has going on asks for that
    first: this feature does not.
    """
    await set_status(tx, account_id=account.id, status=AccountStatus.CLOSED)
    tx.publish(AccountClosed(subject_id=account.id, account_id=account.id, reason=reason))
    tx.audit(
        "account.close",
        subject_type="account",
        subject_id=account.id,
        details={"reason": reason},
    )
    return _as(AccountStatus.CLOSED, account, tx=tx)


async def reopen_account(
    tx: Tx, account_id: UUID, *, expected_version: int | None = None
) -> Account:
    """Let an account take something new again; one that is not closed stays as it is.

    Refuses: `account_unknown`, `account_version_stale`.
    """
    account = await lock_account(tx, account_id)
    if expected_version not in {None, account.version}:
        raise account_version_stale(expected=expected_version, actual=account.version)
    if account.status is AccountStatus.ACTIVE:
        return account
    await set_status(tx, account_id=account.id, status=AccountStatus.ACTIVE)
    tx.publish(AccountReopened(subject_id=account.id, account_id=account.id))
    tx.audit("account.reopen", subject_type="account", subject_id=account.id)
    return _as(AccountStatus.ACTIVE, account, tx=tx)


def _as(status: AccountStatus, account: Account, *, tx: Tx) -> Account:
    return replace(account, status=status, version=account.version + 1, updated_at=tx.now)
