"""What leaves a row in the tables of dunning?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.dunning.operations.open_case import open_case
from billwright.features.dunning.operations.set_dunning_policy import (
    SetDunningPolicy,
    set_dunning_policy,
)
from billwright.features.dunning.rules.policy import DunningPolicy
from billwright.features.payment_providers.model import Decline
from tests.conftest import Tenant


async def miss_a_payment(tenant: Tenant, invoice_id: UUID, *, account_id: UUID) -> None:
    """The seller sets a policy, and an invoice is pursued under it."""
    async with tenant.tx() as tx:
        await set_dunning_policy(tx, SetDunningPolicy(policy=DunningPolicy(), plan_code="team"))
        account = await lock_account(tx, account_id)
        assert await open_case(tx, invoice_id, account=account, decline=Decline.SOFT)
