"""What happens to an account whose data no rule can bill?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.events import AccountParked
from billwright.features.accounts.sql.writes import set_parked_reason
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import IntegrityViolation, ValueUnfit
from billwright.runtime.db.tx import Tx

UNBILLABLE = (
    Refusal,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    IntegrityViolation,
    ValueUnfit,
)
"""What makes one account's data impossible to bill: the account is parked, the others go on."""


async def park_account(tx: Tx, *, account_id: UUID, reason: str) -> None:
    """Take an account out of billing runs until a person has looked, and say why."""
    await set_parked_reason(tx, account_id=account_id, reason=reason)
    tx.publish(AccountParked(subject_id=account_id, account_id=account_id, reason=reason))
    tx.audit(
        "account.park", subject_type="account", subject_id=account_id, details={"reason": reason}
    )
