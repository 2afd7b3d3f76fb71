"""What leaves a row of a trial that was had, and of a cancellation?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription


async def try_and_leave(tenant: Tenant, account_id: UUID) -> None:
    """A plan is tried, and canceled with the end of the trial."""
    async with tenant.tx() as tx:
        await a_plan(tx, "tried")
        account = await account_by_id(tx, account_id)
        tried = (await a_subscription(tx, account, "tried", trial_days=14)).subscription
        await cancel_subscription(
            tx, CancelSubscription(subscription_id=tried.id, mode=CancellationMode.PERIOD_END)
        )
