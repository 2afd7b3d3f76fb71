"""What leaves a row in the tables of usage?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.usage.model import MeterDefinition, NewUsage
from billwright.features.usage.operations.create_meter import CreateMeter, create_meter
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, metered
from tests.features.usage.recording import RecordUsage, record_usage


async def use_and_end(tenant: Tenant, account_id: UUID) -> None:
    """A meter counts a call, which is billed at the end and will be counted again."""
    async with tenant.tx() as tx:
        await create_meter(
            tx,
            CreateMeter(code="calls", name="Calls", definition=MeterDefinition(event_type="calls")),
        )
        await a_plan(tx, "calls", components=(metered("calls", "1.00", meter="calls"),))
        account = await account_by_id(tx, account_id)
        subscription = (await a_subscription(tx, account, "calls")).subscription
        call = NewUsage(
            source="api",
            event_id="call",
            meter="calls",
            quantity=Decimal(1),
            occurred_at=tx.now,
        )
        await record_usage(
            tx,
            RecordUsage(account_id=account_id, subscription_id=subscription.id, events=(call,)),
        )
        later = tx.now + timedelta(hours=1)
    async with tenant.tx(later) as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=subscription.id, mode=CancellationMode.NOW),
        )
