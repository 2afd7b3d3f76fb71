"""What do tests of pools in PostgreSQL start from? Accounts that use what their plans give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billwright.features.catalog.model import FeatureKind, FeatureTerms, PlanFeature
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.settle_pools import current_pools
from billwright.features.entitlements.rules.pool import PoolKey
from billwright.features.entitlements.rules.standing import Standing
from billwright.features.usage.model import MeterDefinition, NewUsage, PropertyValue
from billwright.features.usage.operations.create_meter import CreateMeter, create_meter
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.usage.recording import RecordUsage, record_usage


@dataclass(frozen=True)
class Customer:
    """An account with a subscription."""

    tenant: Tenant
    account_id: UUID
    subscription_id: UUID

    def key(self, subscription_id: UUID | None = None) -> PoolKey:
        return PoolKey(self.account_id, "calls", subscription_id)

    async def use(
        self,
        quantity: int | str = 1,
        *,
        at: datetime | None = None,
        now: datetime | None = None,
        properties: Mapping[str, PropertyValue] | None = None,
        subscription_id: UUID | None = None,
        meter: str = "calls",
    ) -> NewUsage:
        async with self.tenant.tx(now) as tx:
            event = NewUsage(
                source="test",
                event_id=str(new_id()),
                meter=meter,
                quantity=Decimal(quantity),
                occurred_at=at or tx.now,
                properties=properties,
            )
            command = RecordUsage(
                account_id=self.account_id,
                subscription_id=subscription_id or self.subscription_id,
                events=(event,),
            )
            await record_usage(tx, command)
            return event

    async def standing(
        self, now: datetime | None = None, *, subscription_id: UUID | None = None
    ) -> Standing | None:
        async with self.tenant.tx(now) as tx:
            await fresh_snapshot(tx, self.account_id)
            key = self.key(subscription_id)
            return (await current_pools(tx, [key])).get(key)

    async def numbers(self, now: datetime | None = None, **whose: Any) -> tuple[float | None, ...]:
        """Limit, used, overage and what is left."""
        standing = await self.standing(now, **whose)
        assert standing is not None
        shown = (standing.limit, standing.used, standing.overage, standing.left)
        return tuple(None if one is None else float(one) for one in shown)


def calls(limit: int | None, **terms: Any) -> PlanFeature:
    value = None if limit is None else str(limit)
    return PlanFeature("calls", "Calls", FeatureKind.METERED, value, FeatureTerms(**terms))


async def a_customer(
    tenant: Tenant, limit: int | None = 100, *, plan: str = "calls", **terms: Any
) -> Customer:
    """A customer whose monthly plan gives so many calls."""
    async with tenant.tx() as tx:
        await a_plan(tx, plan, features=(calls(limit, **terms),))
        account = await an_account(tx)
        subscription = (await a_subscription(tx, account, plan)).subscription
    return Customer(tenant, account.id, subscription.id)


async def a_meter(tx: Tx, **definition: Any) -> None:
    """By which the calls are counted."""
    values = {"event_type": "calls", **definition}
    await create_meter(
        tx, CreateMeter(code="calls", name="Calls", definition=MeterDefinition(**values))
    )


async def forget(tenant: Tenant) -> None:
    """Lose all that may be lost."""
    async with tenant.tx() as tx:
        await tx.execute(
            """update entitlement_pool set counted_quantity = null, counted_events = null,
                   counted_revision = null, counted_used = null where tenant_id = $1""",
            tx.tenant_id,
        )
        await tx.execute("delete from entitlement_snapshot where tenant_id = $1", tx.tenant_id)
