"""What becomes of late usage when its account is closed?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.subscriptions.events import SubscriptionUsageLeft
from billwright.features.subscriptions.operations.recount_windows import Recount
from billwright.features.usage.model import LateUsage
from billwright.features.usage.operations.set_late_usage_aside import set_late_usage_aside
from billwright.runtime.db.tx import Tx


async def leave_late_usage(tx: Tx, left: Sequence[Recount], *, late: Sequence[LateUsage]) -> None:
    """Bill nothing by itself, and say what it would be; `late` is where the windows were found. They stay
    as they were billed and are counted again with the account's reopening, so that nothing is lost.
    """
    owed: dict[UUID, list[Recount]] = {}
    for one in left:
        owed.setdefault(one.subscription.id, []).append(one)
    await set_late_usage_aside(tx, [one for one in late if one.subscription_id in owed])
    for own in owed.values():
        _tell(tx, own)


def _tell(tx: Tx, own: Sequence[Recount]) -> None:
    subscription = own[0].subscription
    amount_minor = sum(one.charge.amount_minor for one in own if one.charge is not None)
    tx.publish(
        SubscriptionUsageLeft(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            reference=subscription.reference,
            period_start=min(one.after.start for one in own),
            period_end=max(one.after.end for one in own),
            amount_minor=amount_minor,
            currency=subscription.currency,
        )
    )
    tx.audit(
        "subscription.leave_usage",
        subject_type="subscription",
        subject_id=subscription.id,
        details={"windows": [one.after.id for one in own], "amount_minor": amount_minor},
    )
