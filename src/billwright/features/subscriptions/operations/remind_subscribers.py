"""Who is to be told that a trial ends soon, or that a long period is renewed?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.invoicing.model import DocumentKind
from billwright.features.subscriptions.events import (
    SubscriptionRenewalUpcoming,
    SubscriptionTrialEnding,
)
from billwright.features.subscriptions.model import Subscription, SubscriptionState
from billwright.features.subscriptions.operations.foresee_boundary import Step, foresee_amounts
from billwright.features.subscriptions.rules.reminding import at_boundary, reminds_at
from billwright.features.subscriptions.sql.reads import subscriptions_by_id
from billwright.features.subscriptions.sql.writes import StoredReminder, store_reminders
from billwright.features.subscriptions.sql.writes_trials import claim_due_reminders
from billwright.runtime.db.tx import Tx

_BATCH_SIZE = 200


async def remind_subscribers(tx: Tx, *, as_of: datetime, test_clock_id: UUID | None) -> int:
    """Publish, for a batch of subscriptions, that their trial or period ends soon, once for each end,
    with what will be due as things stand; returns how many were looked at. A second subscription of an
    account waits for the next batch, since both may come on one invoice.
    """
    claimed = await claim_due_reminders(
        tx, test_clock_id=test_clock_id, as_of=as_of, limit=_BATCH_SIZE
    )
    if not claimed:
        return 0
    one_of_each: dict[UUID, UUID] = {}
    for subscription_id, account_id in claimed.items():
        one_of_each.setdefault(account_id, subscription_id)
    accounts = await accounts_by_id(tx, list(one_of_each))
    looked_at = list((await subscriptions_by_id(tx, one_of_each.values())).values())
    # Somebody may have changed a subscription just before its account was locked.
    due = [one for one in looked_at if (at := reminds_at(one)) is not None and at <= as_of]
    if due:
        await _publish(tx, due, accounts=accounts)
    reminded = {one.id for one in due}
    reminders = [
        StoredReminder(one.id, one.period.end, None)
        if one.id in reminded
        else StoredReminder(one.id, one.reminder.sent_for, reminds_at(one))
        for one in looked_at
    ]
    await store_reminders(tx, reminders)
    for each in reminders:
        tx.audit(
            "subscription.remind",
            subject_type="subscription",
            subject_id=each.subscription_id,
            details={"reminded_of": each.sent_for, "next_at": each.due_at},
        )
    return len(looked_at)


async def _publish(tx: Tx, due: list[Subscription], *, accounts: Mapping[UUID, Account]) -> None:
    current = await plan_versions(tx, list({one.plan_version_id for one in due}))
    steps = await foresee_amounts(tx, due, accounts=accounts)
    for one in due:
        step = steps.get(one.id)
        version = step.transition.version if step else current[one.plan_version_id]
        tx.publish(_event(one, version=version, step=step, account=accounts[one.account_id]))


def _event(
    subscription: Subscription, *, version: PlanVersion, step: Step | None, account: Account
) -> SubscriptionTrialEnding | SubscriptionRenewalUpcoming:
    if subscription.state is SubscriptionState.TRIALING:
        outcome = at_boundary(subscription, has_payment_method=account.has_payment_method)
        return SubscriptionTrialEnding(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            number=subscription.number,
            plan_code=version.plan_code,
            plan_name=version.name,
            trial_end=subscription.period.end,
            outcome=outcome,
            needs_payment_method=outcome is not at_boundary(subscription, has_payment_method=True),
            amount_minor=_amount_minor(step),
            currency=subscription.currency,
        )
    return SubscriptionRenewalUpcoming(
        subject_id=subscription.id,
        account_id=subscription.account_id,
        number=subscription.number,
        plan_code=version.plan_code,
        plan_name=version.name,
        renews_at=subscription.period.end,
        amount_minor=_amount_minor(step),
        currency=subscription.currency,
    )


def _amount_minor(step: Step | None) -> int | None:
    """What is to be paid of the invoices that come; none where none does."""
    invoices = [one for one in (step.documents if step else ()) if one.kind is DocumentKind.INVOICE]
    return sum(one.due_minor for one in invoices) if invoices else None
