"""How does a subscription come to be?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.accounts.errors import account_closed, account_reference_unknown
from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.errors import plan_archived, plan_reference_unknown
from billwright.features.catalog.model import Plan, PlanStatus, PlanVersion, TrialEndBehavior
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.promotions.operations.redeem_promotion import (
    RedeemPromotion,
    redeem_promotion,
)
from billwright.features.subscriptions.errors import (
    currency_not_sold,
    subscription_external_id_taken,
    trial_length_missing,
)
from billwright.features.subscriptions.events import SubscriptionCreated
from billwright.features.subscriptions.model import (
    Activation,
    Commanded,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    Trial,
)
from billwright.features.subscriptions.operations.activate_subscriptions import activate_settled
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.operations.gather_facts import Question, gather_facts
from billwright.features.subscriptions.operations.redeem_trial import redeem_trial
from billwright.features.subscriptions.rules.backdating import (
    caught_up,
    require_near,
    require_startable,
)
from billwright.features.subscriptions.rules.beginning import planned_trial
from billwright.features.subscriptions.rules.items import items_of
from billwright.features.subscriptions.rules.periods import schedule_from
from billwright.features.subscriptions.rules.service_charges import refuse_oversized_charges
from billwright.features.subscriptions.sql.reads import has_subscriptions, subscription_by_id
from billwright.features.subscriptions.sql.writes import insert_subscription
from billwright.features.tenancy.operations.next_number import next_subscription_number
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription:
    """Subscribe an account to a plan's newest version.

    `quantities` maps a component's code to its units; one that is not named has one unit, an add-on
    none. `prices` are prices of the subscription's own, by component. It starts now, or at `starts_at`,
    which may lie in the future or in the past: then all periods since are billed, on one invoice, or
    those from `bills_from` on, where a period begins. `trial_days` or `trial_until`, and
    `trial_end_behavior` take the place of the plan's. `promotion_codes` are redeemed for it.

    A customer has one trial of a plan, whoever of those who share a payment method asks. One that is
    asked for again is refused, the plan's own is just not given again, unless `allows_repeated_trial`.
    With `begins_with_trial` there must be one.
    """

    account_id: UUID
    plan_code: str
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    prices: Mapping[str, Pricing] = field(default_factory=dict)
    currency: str | None = None
    starts_at: datetime | None = None
    bills_from: datetime | None = None
    trial_days: int | None = None
    trial_until: datetime | None = None
    trial_end_behavior: TrialEndBehavior | None = None
    allows_repeated_trial: bool = False
    begins_with_trial: bool = False
    activation: Activation = Activation.IMMEDIATE
    renews: bool = True
    promotion_codes: tuple[str, ...] = ()
    external_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


async def create_subscription(tx: Tx, command: CreateSubscription) -> Commanded:
    """Start a subscription, or schedule its start: its periods up to now, the invoice for them and its
    access, in one commit.

    Refuses: `account_unknown_here`, `account_closed`, `plan_unknown_here`, `plan_archived`,
    `currency_unknown`, `currency_not_sold`, `component_unknown`, `charge_too_large`,
    `starts_at_invalid`, `bills_from_invalid`, `trial_until_invalid`, `trial_length_missing`,
    `trial_already_used`, `trial_used_with_payment_method`, `subscription_external_id_taken`, and what
    `redeem_promotion` refuses.
    """
    account = await _account(tx, command.account_id)
    plan = await _plan(tx, command.plan_code)
    version = plan.version
    created = await _new_subscription(tx, command, account=account, plan=plan)
    created = await _with_its_trial(tx, command, created=created, account=account)
    refuse_oversized_charges(created, version)
    require_startable(created, now=tx.now)
    if not await insert_subscription(tx, created):
        raise subscription_external_id_taken(external_id=command.external_id)
    _record(tx, command, subscription=created, version=version)
    await _redeem(tx, command, subscription=created, version=version)
    if created.started_at > tx.now:
        return Commanded(created, version)
    accounts: dict[UUID, Account] = {account.id: account}
    facts = await gather_facts(tx, [Question(created, created.started_at)], accounts=accounts)
    transition = caught_up(created, facts[created.id], now=tx.now)
    billed = await apply_transitions(tx, [transition], accounts=accounts)
    if transition.after.state is SubscriptionState.INCOMPLETE:
        await activate_settled(tx, billed)
        return Commanded(await subscription_by_id(tx, created.id), version, billed)
    return Commanded(transition.after, version, billed)


async def _account(tx: Tx, account_id: UUID) -> Account:
    try:
        account = await lock_account(tx, account_id)
    except Refusal as refusal:
        if refusal.category is not Category.NOT_FOUND:
            raise
        raise account_reference_unknown(pointer="/account_id", account_id=account_id) from None
    if account.status is AccountStatus.CLOSED:
        raise account_closed(account_id=account_id)
    return account


async def _plan(tx: Tx, plan_code: str) -> Plan:
    try:
        plan = await plan_by_code(tx, plan_code)
    except Refusal as refusal:
        if refusal.category is not Category.NOT_FOUND:
            raise
        raise plan_reference_unknown(pointer="/plan_code", plan_code=plan_code) from None
    if plan.status is PlanStatus.ARCHIVED:
        raise plan_archived(plan_code=plan_code)
    return plan


async def _new_subscription(
    tx: Tx, command: CreateSubscription, *, account: Account, plan: Plan
) -> Subscription:
    currency = currency_of(command.currency or account.currency).code
    version = plan.version
    if currency not in version.currencies:
        raise currency_not_sold(
            pointer="/currency",
            plan_code=plan.code,
            currency=currency,
            currencies=", ".join(sorted(version.currencies)),
        )
    starts_at = command.starts_at or tx.now
    require_near(starts_at, now=tx.now)
    schedule = schedule_from(starts_at, version=version, zone=account.zone)
    trial = planned_trial(
        version,
        start=starts_at,
        days=command.trial_days,
        zone=account.zone,
        until=command.trial_until,
    )
    return Subscription(
        id=SubscriptionId(new_id()),
        number=await next_subscription_number(tx),
        external_id=command.external_id,
        account_id=account.id,
        plan_version_id=version.id,
        state=SubscriptionState.SCHEDULED,
        activation=command.activation,
        currency=currency,
        schedule=schedule,
        period=schedule.containing(starts_at),
        items=items_of(version, command.quantities, prices=command.prices),
        started_at=starts_at,
        bills_from=command.bills_from,
        next_action_at=starts_at,
        trial=replace(trial, end_behavior=command.trial_end_behavior or trial.end_behavior),
        renews=command.renews,
        test_clock_id=account.test_clock_id,
        metadata=command.metadata,
        # The start that follows in this transaction makes it the first version.
        version=0 if starts_at <= tx.now else 1,
        created_at=tx.now,
        updated_at=tx.now,
    )


async def _with_its_trial(
    tx: Tx, command: CreateSubscription, *, created: Subscription, account: Account
) -> Subscription:
    """The new subscription with the trial that it gets."""
    if created.trial.end is None:
        if command.begins_with_trial:
            raise trial_length_missing(pointer="/trial_days", plan_code=command.plan_code)
        return created
    refusal = await redeem_trial(
        tx,
        created.id,
        account=account,
        plan_code=command.plan_code,
        is_allowed=command.allows_repeated_trial,
    )
    if refusal is None:
        return created
    if command.begins_with_trial or command.trial_days or command.trial_until:
        raise refusal
    return replace(created, trial=Trial(end_behavior=created.trial.end_behavior))


def _record(
    tx: Tx, command: CreateSubscription, *, subscription: Subscription, version: PlanVersion
) -> None:
    tx.audit(
        "subscription.create",
        subject_type="subscription",
        subject_id=subscription.id,
        details=command,
    )
    tx.publish(
        SubscriptionCreated(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            number=subscription.number,
            plan_code=version.plan_code,
            plan_version=version.number,
            starts_at=subscription.started_at,
        )
    )


async def _redeem(
    tx: Tx, command: CreateSubscription, *, subscription: Subscription, version: PlanVersion
) -> None:
    if not command.promotion_codes:
        return
    existing = await has_subscriptions(tx, subscription.account_id, other_than=subscription.id)
    # In one order for everybody: each locks its promotion until the commit.
    for index, code in sorted(enumerate(command.promotion_codes), key=lambda each: each[1].upper()):
        await redeem_promotion(
            tx,
            RedeemPromotion(
                code=code,
                account_id=subscription.account_id,
                subscription_id=subscription.id,
                plan_code=version.plan_code,
                currency=subscription.currency,
                is_new_customer=not existing,
            ),
            pointer=f"/promotion_codes/{index}",
        )
