"""How do the units of a subscription change?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.operations.schedule_change import (
    ChangeTiming,
    schedule_change,
)
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.items import component_of, items_with
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuantity:
    """Subscribe to other numbers of units; components that are not named stay as they are."""

    subscription_id: UUID
    quantities: Mapping[str, Decimal]
    timing: ChangeTiming = ChangeTiming()
    expected_version: int | None = None


async def change_quantity(tx: Tx, command: ChangeQuantity) -> Commanded:
    """Change the units of one or several components.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `component_unknown`,
    `charge_too_large`, `effective_at_invalid`, `state_forbids`.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.change_quantity",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    subscription = opened.subscription
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    for code, quantity in command.quantities.items():
        component = component_of(version, code, pointer=f"/quantities/{code}")
        items = items_with(subscription, component, quantity=quantity)
        subscription = replace(subscription, items=items)
    return await schedule_change(
        tx,
        opened,
        target=Target(version=version, items=subscription.items),
        timing=command.timing,
    )
