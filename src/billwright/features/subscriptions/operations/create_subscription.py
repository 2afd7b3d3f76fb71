"""How does a subscription begin?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from billwright.features.accounts.errors import account_closed, account_reference_unknown
from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.errors import plan_archived, plan_reference_unknown
from billwright.features.catalog.model import Plan, PlanStatus, PlanVersion
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.grant_plan import grant_plan
from billwright.features.invoicing.model import InvoiceDraft, IssuedInvoice
from billwright.features.invoicing.operations.issue_invoices import issue_invoices
from billwright.features.subscriptions.errors import (
    component_unknown,
    currency_not_sold,
    subscription_external_id_taken,
)
from billwright.features.subscriptions.events import SubscriptionStarted
from billwright.features.subscriptions.model import (
    Subscription,
    SubscriptionId,
    SubscriptionItem,
    SubscriptionState,
)
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.period_charges import (
    charges_in_advance,
    refuse_oversized_charges,
)
from billwright.features.subscriptions.sql.writes import insert_subscription
from billwright.features.tenancy.operations.next_number import next_subscription_number
from billwright.kernel.calendar import anniversary_schedule
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription:
    """Subscribe an account to a plan's newest version, from now on.

    `quantities` maps a component's code to its units; a component that is not named has one unit.
    """

    account_id: UUID
    plan_code: str
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    currency: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """A new subscription with the invoice of its first period, if it owes anything there."""

    subscription: Subscription
    version: PlanVersion
    invoices: tuple[IssuedInvoice, ...]


async def create_subscription(tx: Tx, command: CreateSubscription) -> Started:
    """Start a subscription: its first period, the invoice for it and its access, in one commit.

    Refuses: `account_unknown_here`, `account_closed`, `plan_unknown_here`, `plan_archived`,
    `currency_unknown`, `currency_not_sold`, `component_unknown`, `charge_too_large`,
    `subscription_external_id_taken`.
    """
    account = await _account(tx, command.account_id)
    plan = await _plan(tx, command.plan_code)
    version = plan.version
    subscription = await _new_subscription(tx, command, account=account, plan=plan)
    refuse_oversized_charges(subscription, version)
    if not await insert_subscription(tx, subscription):
        raise subscription_external_id_taken(external_id=command.external_id)
    _record(tx, command, subscription=subscription, version=version)
    await grant_plan(
        tx,
        Source(
            subscription.id,
            account.id,
            version.id,
            subscription.period.start,
            subscription.period.end,
        ),
    )
    charges = charges_in_advance(subscription, version, period=subscription.period)
    draft = InvoiceDraft(
        account, currency_of(subscription.currency), charges, subscription.reference
    )
    return Started(subscription, version, tuple(await issue_invoices(tx, [draft])))


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
    if currency not in plan.version.currencies:
        raise currency_not_sold(
            pointer="/currency",
            plan_code=plan.code,
            currency=currency,
            currencies=", ".join(sorted(plan.version.currencies)),
        )
    schedule = anniversary_schedule(tx.now, zone=account.zone, interval=plan.version.interval)
    period = schedule.period(0)
    return Subscription(
        id=SubscriptionId(new_id()),
        number=await next_subscription_number(tx),
        external_id=command.external_id,
        account_id=account.id,
        plan_version_id=plan.version.id,
        state=SubscriptionState.ACTIVE,
        currency=currency,
        schedule=schedule,
        period=period,
        items=_items(plan, command.quantities),
        started_at=tx.now,
        next_action_at=next_action_at(
            state=SubscriptionState.ACTIVE, period=period, cancel_at=None
        ),
        cancel_at=None,
        canceled_at=None,
        cancellation_reason=None,
        cancellation_comment=None,
        ended_at=None,
        test_clock_id=account.test_clock_id,
        metadata=command.metadata,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _items(plan: Plan, quantities: Mapping[str, Decimal]) -> tuple[SubscriptionItem, ...]:
    known = {component.code for component in plan.version.components}
    for code in quantities:
        if code not in known:
            raise component_unknown(
                pointer=f"/quantities/{code}", plan_code=plan.code, component_code=code
            )
    return tuple(
        SubscriptionItem(component.id, quantities.get(component.code, Decimal(1)))
        for component in plan.version.components
    )


def _record(
    tx: Tx, command: CreateSubscription, *, subscription: Subscription, version: PlanVersion
) -> None:
    tx.publish(
        SubscriptionStarted(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            number=subscription.number,
            plan_code=version.plan_code,
            plan_name=version.name,
            period_start=subscription.period.start,
            period_end=subscription.period.end,
        )
    )
    tx.audit(
        "subscription.create",
        subject_type="subscription",
        subject_id=subscription.id,
        details=command,
    )
