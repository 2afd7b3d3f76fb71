"""How is a renewal made that the billing run has not come to yet?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.errors import nothing_due
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSubscription:
    """Do now what is due of a subscription."""

    subscription_id: UUID
    expected_version: int | None = None


async def renew_subscription(tx: Tx, command: RenewSubscription) -> Commanded:
    """Take a subscription over every boundary that is due, as the billing run would.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `nothing_due`.
    """
    before = await subscription_by_id(tx, command.subscription_id)
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    subscription = opened.subscription
    if subscription.version == before.version:
        raise nothing_due(next_action_at=subscription.next_action_at)
    tx.audit(
        "subscription.renew_now",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    versions = await plan_versions(tx, [subscription.plan_version_id])
    return Commanded(subscription, versions[subscription.plan_version_id], opened.billed)
