"""How is it decided whether a subscription renews, and whether its invoices are collected?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.errors import resumes_at_invalid
from billwright.features.subscriptions.events import (
    SubscriptionCollectionSet,
    SubscriptionRenewalSet,
)
from billwright.features.subscriptions.model import CollectionPause, Commanded, Reminder
from billwright.features.subscriptions.operations.open_subscription import (
    open_subscription,
)
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRenewal:
    """Turn automatic renewal on or off; without it, the subscription ends with its period. `reminder`
    says when people are reminded. What is none stays as it is.
    """

    subscription_id: UUID
    renews: bool | None = None
    reminder: Reminder | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCollection:
    """Pause the collection of a subscription's invoices, until `resumes_at` if that is given; none for
    `behavior` collects again. Service and periods go on.
    """

    subscription_id: UUID
    behavior: CollectionPause | None
    resumes_at: datetime | None = None
    expected_version: int | None = None


async def set_renewal(tx: Tx, command: SetRenewal) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`."""
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.set_renewal",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    before = opened.subscription
    LIFECYCLE.next(before.state, Action.SET_RENEWAL)
    renews = before.renews if command.renews is None else command.renews
    days = before.reminder.days if command.reminder is None else command.reminder.days
    event = SubscriptionRenewalSet(
        subject_id=before.id,
        account_id=before.account_id,
        renews=renews,
        ends_at=None if renews else before.period.end,
    )
    decided = replace(before, renews=renews, reminder=replace(before.reminder, days=days))
    return await opened.note(tx, decided, action="subscription.decide", event=event)


async def set_collection(tx: Tx, command: SetCollection) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `resumes_at_invalid`.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.set_collection",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    before = opened.subscription
    LIFECYCLE.next(before.state, Action.SET_COLLECTION)
    resumes_at = command.resumes_at if command.behavior else None
    if resumes_at is not None and resumes_at <= tx.now:
        raise resumes_at_invalid(pointer="/resumes_at", resumes_at=resumes_at.isoformat())
    event = SubscriptionCollectionSet(
        subject_id=before.id,
        account_id=before.account_id,
        behavior=command.behavior,
        resumes_at=resumes_at,
    )
    decided = replace(before, collection_paused=command.behavior, collection_resumes_at=resumes_at)
    return await opened.note(tx, decided, action="subscription.decide", event=event)
