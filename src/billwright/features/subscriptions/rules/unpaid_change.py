"""Which change can be undone when it is not paid, and what was there before it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import InvoiceTiming
from billwright.features.promotions.model import Redemption, RedemptionState
from billwright.features.subscriptions.events import SubscriptionChangeReverted
from billwright.features.subscriptions.model import (
    Subscription,
    SubscriptionState,
    UnpaidChange,
)
from billwright.features.subscriptions.rules.decision import keep_decision
from billwright.features.subscriptions.rules.periods import ending_with_its_period
from billwright.features.subscriptions.rules.transition import Facts, Transition

_RUNNING = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})


def can_be_undone(transition: Transition, *, has_payment_method: bool) -> bool:
    """Whether a change can have an invoice of its own that is tried at a payment method: something is
    owed for it at once, and what it gives back was invoiced before.
    """
    charges = transition.charges
    return (
        has_payment_method
        and transition.before.state in _RUNNING
        and transition.after.collection_paused is None
        and transition.timing is InvoiceTiming.AT_ONCE
        and sum(charge.amount_minor for charge in charges) > 0
        and all(one.tax_rate is not None for one in charges if one.corrects_charge_id)
    )


def before_change(transition: Transition, facts: Facts, *, invoice_id: UUID) -> UnpaidChange:
    """What a subscription was before a change that was invoiced there."""
    before = transition.before
    moved = {one.id for one in transition.redemptions}
    return UnpaidChange(
        invoice_id=invoice_id,
        plan_version_id=before.plan_version_id,
        items=before.items,
        schedule=before.schedule,
        period=before.period,
        bills_from=before.bills_from,
        pending_change=before.pending_change,
        redemptions=tuple(one for one in facts.redemptions if one.id in moved),
    )


def undo_unpaid_change(
    subscription: Subscription,
    unpaid: UnpaidChange,
    *,
    version: PlanVersion,
    redemptions: Mapping[UUID, Redemption],
    now: datetime,
) -> Transition:
    """The subscription as it would be without the change: plan, items and periods are again what they
    were, and so are its promotions, of which `redemptions` is what they are now. What has come due
    meanwhile of what is restored, such as a renewal, is done by the next billing run. A change that was
    to come is dropped where a cancellation was asked for since, as cancellations do.
    """
    pending, canceled_at = unpaid.pending_change, subscription.cancellation.requested_at
    if pending is not None and canceled_at is not None and canceled_at > pending.requested_at:
        pending = None
    restored = replace(
        subscription,
        plan_version_id=unpaid.plan_version_id,
        items=unpaid.items,
        schedule=unpaid.schedule,
        period=unpaid.period,
        bills_from=unpaid.bills_from,
        pending_change=pending,
        unpaid_change=None,
    )
    transition = keep_decision(
        subscription,
        decided=ending_with_its_period(restored),
        version=version,
        action="subscription.revert_change",
        event=SubscriptionChangeReverted(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            number=subscription.number,
            plan_code=version.plan_code,
            plan_version=version.number,
            invoice_id=unpaid.invoice_id,
        ),
        now=now,
    )
    return replace(transition, redemptions=tuple(_restored(unpaid.redemptions, redemptions)))


def _restored(
    before: Iterable[Redemption], current: Mapping[UUID, Redemption]
) -> Iterator[Redemption]:
    """Promotions with what they had left; one that a person has ended stays so."""
    for one in before:
        now = current[one.id]
        if now.state is not RedemptionState.ENDED:
            yield replace(
                now,
                state=one.state,
                remaining_minor=one.remaining_minor,
                remaining_periods=one.remaining_periods,
                remaining_seconds=one.remaining_seconds,
                last_period_start=one.last_period_start,
            )
