"""How does a subscription come to another plan or other quantities?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from billwright.features.invoicing.model import InvoiceTiming
from billwright.features.subscriptions.errors import (
    effective_at_invalid,
    period_billed_elsewhere,
)
from billwright.features.subscriptions.events import SubscriptionChangeScheduled
from billwright.features.subscriptions.model import (
    Commanded,
    OnPaymentFailure,
    PendingChange,
    Proration,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.open_subscription import Opened
from billwright.features.subscriptions.rules.change import Target, change
from billwright.features.subscriptions.rules.instants import require_since_last_change
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.service_charges import refuse_oversized_charges
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.features.subscriptions.rules.unpaid_change import before_change, can_be_undone
from billwright.features.subscriptions.sql.writes import set_unpaid_change
from billwright.runtime.db.tx import Tx

_WITHOUT_PRICES = {SubscriptionState.SCHEDULED, SubscriptionState.TRIALING}


class Effective(StrEnum):
    """When a change comes: now, with the next renewal, or at an instant of the running period."""

    NOW = "now"
    PERIOD_END = "period_end"
    AT = "at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTiming:
    """When a change takes effect and what it costs.

    `at` is the instant for `Effective.AT`, and for `NOW` the instant that a preview reckoned with, so
    that the same amounts come out; it may lie back to the last change in the running period.
    `on_payment_failure` concerns what takes effect and is invoiced now.
    """

    effective: Effective = Effective.NOW
    at: datetime | None = None
    proration: Proration = Proration.INVOICE_NOW
    on_payment_failure: OnPaymentFailure = OnPaymentFailure.KEEP_OLD


async def schedule_change(
    tx: Tx, opened: Opened, *, target: Target, timing: ChangeTiming
) -> Commanded:
    """Change a subscription, or note the change where it is to come later; that supersedes one which
    was noted before. What has not started, and what is in a trial, changes at once unless it is to
    wait for the trial's end or for an instant; that lies in the period, or in the first one.

    Refuses: `state_forbids`, `effective_at_invalid`, `charge_too_large`, `period_billed_elsewhere`.
    """
    subscription = opened.subscription
    LIFECYCLE.next(subscription.state, Action.CHANGE)
    refuse_oversized_charges(replace(subscription, items=target.items), target.version)
    if timing.effective is Effective.PERIOD_END and _has_period(subscription):
        return await _note(tx, opened, target=target, timing=timing, at=subscription.period.end)
    _refuse_unknown_prices(subscription, timing)
    at = tx.now if timing.at is None else timing.at
    if at > tx.now:
        _require_inside(subscription, at, earliest=max(tx.now, subscription.period.start))
        return await _note(tx, opened, target=target, timing=timing, at=at)
    if not _has_period(subscription):
        at = tx.now
    facts = await opened.facts(tx, at=at)
    if at < tx.now:
        require_since_last_change(subscription, facts, at=at, now=tx.now)
    transition = change(
        subscription, facts, target=target, at=at, proration=timing.proration, now=tx.now
    )
    if timing.on_payment_failure is OnPaymentFailure.KEEP_OLD and can_be_undone(
        transition, has_payment_method=opened.account.has_payment_method
    ):
        return await _apply_undoably(tx, opened, transition=transition, facts=facts)
    return await opened.apply(tx, transition)


async def _apply_undoably(
    tx: Tx, opened: Opened, *, transition: Transition, facts: Facts
) -> Commanded:
    """Make a change on an invoice of its own, which can be withdrawn together with the change."""
    alone = replace(transition, timing=InvoiceTiming.ALONE)
    commanded = await opened.apply(tx, alone)
    [invoice] = commanded.billed.documents[len(opened.billed.documents) :]
    if not invoice.due_minor:
        return commanded
    unpaid = before_change(transition, facts, invoice_id=invoice.id)
    await set_unpaid_change(tx, transition.after.id, change=unpaid)
    changed = replace(commanded.subscription, unpaid_change=unpaid)
    return replace(commanded, subscription=changed)


def _has_period(subscription: Subscription) -> bool:
    return subscription.state is not SubscriptionState.SCHEDULED


def _refuse_unknown_prices(subscription: Subscription, timing: ChangeTiming) -> None:
    """Whoever adds a unit to what was billed elsewhere would be charged for all units once more. In a
    trial nothing is charged.
    """
    bills_from = subscription.bills_from
    if (
        bills_from is not None
        and subscription.is_billed_elsewhere
        and subscription.state not in _WITHOUT_PRICES
        and timing.proration in {Proration.INVOICE_NOW, Proration.NEXT_INVOICE}
    ):
        raise period_billed_elsewhere(
            bills_from=bills_from.isoformat(), proration=timing.proration.value
        )


def _require_inside(subscription: Subscription, at: datetime, *, earliest: datetime) -> None:
    latest = subscription.period.end
    if not earliest <= at < latest:
        raise effective_at_invalid(
            pointer="/effective_at",
            effective_at=at.isoformat(),
            earliest=earliest.isoformat(),
            latest=latest.isoformat(),
        )


async def _note(
    tx: Tx, opened: Opened, *, target: Target, timing: ChangeTiming, at: datetime
) -> Commanded:
    before = opened.subscription
    pending = PendingChange(
        plan_version_id=target.version.id,
        items=target.items,
        effective_at=at,
        at_period_end=timing.effective is Effective.PERIOD_END,
        proration=timing.proration,
        requested_at=tx.now,
    )
    superseded = before.pending_change
    event = SubscriptionChangeScheduled(
        subject_id=before.id,
        account_id=before.account_id,
        plan_code=target.version.plan_code,
        plan_version=target.version.number,
        effective_at=at,
        supersedes=superseded.effective_at if superseded else None,
    )
    noted = replace(before, pending_change=pending, unpaid_change=None)
    return await opened.note(tx, noted, action="subscription.schedule_change", event=event)
