"""How does a subscription get and lose add-ons?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import PlanComponent, PlanVersion
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.errors import (
    add_on_absent,
    add_on_present,
    component_not_optional,
)
from billwright.features.subscriptions.model import Commanded, Subscription
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.operations.schedule_change import (
    ChangeTiming,
    schedule_change,
)
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.items import component_of, items_with
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAddOn:
    """Add an optional component of the plan to a subscription."""

    subscription_id: UUID
    component_code: str
    quantity: Decimal = Decimal(1)
    timing: ChangeTiming = ChangeTiming()
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddOn:
    """Take an optional component of the plan from a subscription."""

    subscription_id: UUID
    component_code: str
    timing: ChangeTiming = ChangeTiming()
    expected_version: int | None = None


async def add_add_on(tx: Tx, command: AddAddOn) -> Commanded:
    """Add an add-on: its one-time charge is owed the first time that it is added.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `component_unknown`,
    `component_not_optional`, `add_on_present`, `charge_too_large`, `effective_at_invalid`,
    `state_forbids`.
    """
    return await _change(tx, command, action="subscription.add_add_on", quantity=command.quantity)


async def remove_add_on(tx: Tx, command: RemoveAddOn) -> Commanded:
    """Remove an add-on; a one-time charge that was made for it stays.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `component_unknown`,
    `component_not_optional`, `add_on_absent`, `effective_at_invalid`, `state_forbids`.
    """
    return await _change(tx, command, action="subscription.remove_add_on", quantity=Decimal(0))


async def _change(
    tx: Tx, command: AddAddOn | RemoveAddOn, *, action: str, quantity: Decimal
) -> Commanded:
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        action, subject_type="subscription", subject_id=command.subscription_id, details=command
    )
    subscription = opened.subscription
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    component = _add_on(version, command.component_code)
    present = _has(subscription, component)
    if quantity and present:
        raise add_on_present(component_code=component.code)
    if not quantity and not present:
        raise add_on_absent(component_code=component.code)
    items = items_with(subscription, component, quantity=quantity)
    return await schedule_change(
        tx, opened, target=Target(version=version, items=items), timing=command.timing
    )


def _add_on(version: PlanVersion, code: str) -> PlanComponent:
    component = component_of(version, code, pointer="/component")
    if not component.optional:
        raise component_not_optional(
            pointer="/component", component_code=code, plan_code=version.plan_code
        )
    return component


def _has(subscription: Subscription, component: PlanComponent) -> bool:
    return any(item.plan_component_id == component.id for item in subscription.items)
