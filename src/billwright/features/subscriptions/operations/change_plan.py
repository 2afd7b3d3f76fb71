"""How does a subscription change to another plan?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.errors import plan_archived, plan_reference_unknown
from billwright.features.catalog.model import PlanStatus
from billwright.features.catalog.sql.reads import plan_by_code, plan_versions
from billwright.features.subscriptions.errors import currency_not_sold_after
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.operations.schedule_change import (
    ChangeTiming,
    schedule_change,
)
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.items import items_moved
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """Change a subscription to the newest version of a plan.

    Components of the same code keep their units, unless `quantities` says otherwise.
    """

    subscription_id: UUID
    plan_code: str
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    timing: ChangeTiming = ChangeTiming()
    expected_version: int | None = None


async def change_plan(tx: Tx, command: ChangePlan) -> Commanded:
    """Change the plan as semantics 5.4 says.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `plan_unknown_here`,
    `plan_archived`, `currency_not_sold_after`, `component_unknown`, `charge_too_large`,
    `effective_at_invalid`, `state_forbids`.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.change_plan",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    try:
        plan = await plan_by_code(tx, command.plan_code)
    except Refusal as refusal:
        if refusal.category is not Category.NOT_FOUND:
            raise
        raise plan_reference_unknown(pointer="/plan_code", plan_code=command.plan_code) from None
    if plan.status is PlanStatus.ARCHIVED:
        raise plan_archived(plan_code=plan.code)
    subscription = opened.subscription
    if subscription.currency not in plan.version.currencies:
        raise currency_not_sold_after(plan_code=plan.code, currency=subscription.currency)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    items = items_moved(
        subscription,
        old=versions[subscription.plan_version_id],
        new=plan.version,
        quantities=command.quantities,
    )
    return await schedule_change(
        tx, opened, target=Target(version=plan.version, items=items), timing=command.timing
    )
