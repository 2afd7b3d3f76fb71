"""Is there anything to charge an unpaid invoice to?"""

from __future__ import annotations

from billwright.features.accounts.model import Account
from billwright.features.dunning.rules.policy import DunningPolicy, HardDecline
from billwright.features.payment_methods.sql.reads import default_method_of
from billwright.runtime.db.tx import Tx


async def has_method(tx: Tx, account: Account, *, policy: DunningPolicy) -> bool:
    """Whether an account has a method that can be charged; under a policy that goes on after a no for
    good, also one that was refused so.
    """
    if account.has_payment_method or policy.hard_decline is HardDecline.STOP:
        return account.has_payment_method
    return await default_method_of(tx, account.id) is not None
