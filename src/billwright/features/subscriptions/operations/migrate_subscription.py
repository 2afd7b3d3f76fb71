"""How does a subscription come to another version of its plan?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.sql.reads import plan_version_by_number, plan_versions
from billwright.features.subscriptions.errors import currency_not_sold_after
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.operations.schedule_change import (
    ChangeTiming,
    Effective,
    schedule_change,
)
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.items import items_moved
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateSubscription:
    """Move a subscription to a version of the plan that it has; by default with the next renewal."""

    subscription_id: UUID
    version_number: int
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    timing: ChangeTiming = ChangeTiming(effective=Effective.PERIOD_END)
    expected_version: int | None = None


async def migrate_subscription(tx: Tx, command: MigrateSubscription) -> Commanded:
    """Migrate to a plan version, which may also be an older one.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `plan_version_unknown`,
    `currency_not_sold_after`, `component_unknown`, `charge_too_large`, `effective_at_invalid`,
    `state_forbids`.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.migrate",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    subscription = opened.subscription
    versions = await plan_versions(tx, [subscription.plan_version_id])
    current = versions[subscription.plan_version_id]
    version = await plan_version_by_number(
        tx, plan_code=current.plan_code, number=command.version_number
    )
    if subscription.currency not in version.currencies:
        raise currency_not_sold_after(plan_code=current.plan_code, currency=subscription.currency)
    items = items_moved(subscription, old=current, new=version, quantities=command.quantities)
    return await schedule_change(
        tx, opened, target=Target(version=version, items=items), timing=command.timing
    )
