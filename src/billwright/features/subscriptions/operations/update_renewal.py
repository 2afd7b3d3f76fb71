"""How is it decided what comes of the next renewal?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from billwright.features.subscriptions.model import Reminder, Subscription
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.migrate_subscription import (
    MigrateSubscription,
    migrate_subscription,
)
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.features.subscriptions.operations.undo import UndoChange, undo_change
from billwright.runtime.db.tx import Tx

_WITH_RENEWAL = ChangeTiming(effective=Effective.PERIOD_END)


class Pending(StrEnum):
    """What becomes of the change that is pending, where no other takes its place."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTerms:
    """What is sold from the renewal on: the newest version of a plan, or a version of the same plan by
    its number.
    """

    plan_code: str | None = None
    version_number: int | None = None
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRenewal:
    """Say whether a subscription renews, what it renews to, and when people are reminded. What is none
    stays as it is.
    """

    subscription_id: UUID
    renews: bool | None = None
    terms: NextTerms | None = None
    pending: Pending = Pending.KEEP
    reminder: Reminder | None = None
    expected_version: int | None = None


async def update_renewal(tx: Tx, command: UpdateRenewal) -> Subscription:
    """Each part is a command of its own, in one commit.

    Refuses: what `change_plan`, `migrate_subscription` and `set_renewal` refuse.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    subscription = opened.subscription
    if command.terms is not None:
        subscription = await _change(tx, subscription.id, terms=command.terms)
    elif command.pending is Pending.DROP and subscription.pending_change is not None:
        undone = await undo_change(tx, UndoChange(subscription_id=subscription.id))
        subscription = undone.subscription
    if command.renews is not None or command.reminder is not None:
        decided = await set_renewal(
            tx,
            SetRenewal(
                subscription_id=subscription.id, renews=command.renews, reminder=command.reminder
            ),
        )
        subscription = decided.subscription
    return subscription


async def _change(tx: Tx, subscription_id: UUID, *, terms: NextTerms) -> Subscription:
    if terms.version_number is not None:
        migrated = await migrate_subscription(
            tx,
            MigrateSubscription(
                subscription_id=subscription_id,
                version_number=terms.version_number,
                quantities=terms.quantities,
                timing=_WITH_RENEWAL,
            ),
        )
        return migrated.subscription
    assert terms.plan_code is not None  # noqa: S101 - one of the two names what is sold
    changed = await change_plan(
        tx,
        ChangePlan(
            subscription_id=subscription_id,
            plan_code=terms.plan_code,
            quantities=terms.quantities,
            timing=_WITH_RENEWAL,
        ),
    )
    return changed.subscription
