"""Which operation does a generated command ask for, as things stand?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.accounts.operations.update_account import UpdateAccount, update_account
from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.credit_invoice import (
    CreditInvoice,
    CreditLine,
    credit_invoice,
)
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.sql.reads import lines_of
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationProration,
    CollectionPause,
    PauseProration,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_add_ons import (
    AddAddOn,
    RemoveAddOn,
    add_add_on,
    remove_add_on,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.change_quantity import (
    ChangeQuantity,
    change_quantity,
)
from billwright.features.subscriptions.operations.mark_past_due import mark_past_due
from billwright.features.subscriptions.operations.mark_unpaid import mark_unpaid
from billwright.features.subscriptions.operations.pause_subscription import (
    PauseSubscription,
    ResumeSubscription,
    pause_subscription,
    resume_subscription,
)
from billwright.features.subscriptions.operations.recover_subscription import recover_subscription
from billwright.features.subscriptions.operations.revert_unpaid_change import revert_unpaid_change
from billwright.features.subscriptions.operations.set_renewal import (
    SetCollection,
    set_collection,
)
from billwright.features.subscriptions.operations.undo import (
    UndoCancellation,
    UndoChange,
    undo_cancellation,
    undo_change,
)
from billwright.features.usage.model import NewUsage
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx
from tests.features.usage.recording import RecordUsage, record_usage
from tests.histories.commands import QUANTITIES, Command, timing_of
from tests.histories.plans import METER, ZONES

Operation = Callable[[Tx], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a command finds."""

    now: datetime
    plans: tuple[PlanVersion, ...]
    account: Account
    subscription: Subscription


def _change_plan(situation: Situation, command: Command) -> Operation:
    asked = ChangePlan(
        subscription_id=situation.subscription.id,
        plan_code=command.pick(situation.plans).plan_code,
        timing=_timing(situation, command),
    )
    return lambda tx: change_plan(tx, asked)


def _change_quantity(situation: Situation, command: Command) -> Operation:
    own = [one.code for one in _version(situation).components if not one.optional]
    quantity: Decimal = command.pick(QUANTITIES, place=1000)
    asked = ChangeQuantity(
        subscription_id=situation.subscription.id,
        quantities={command.pick(own, place=500): quantity},
        timing=_timing(situation, command),
    )
    return lambda tx: change_quantity(tx, asked)


def _toggle_add_on(situation: Situation, command: Command) -> Operation | None:
    optional = [one.code for one in _version(situation).components if one.optional]
    if not optional:
        return None
    own = {
        "subscription_id": situation.subscription.id,
        "component_code": command.pick(optional, place=500),
        "timing": _timing(situation, command),
    }
    if command.pick((True, True, False), place=7):
        return lambda tx: add_add_on(tx, AddAddOn(**own))
    return lambda tx: remove_add_on(tx, RemoveAddOn(**own))


def _pause(situation: Situation, command: Command) -> Operation:
    resumes_at = situation.now + timedelta(days=command.pick(range(1, 50), place=2))
    asked = PauseSubscription(
        subscription_id=situation.subscription.id,
        proration=command.pick(PauseProration),
        resumes_at=command.pick((None, resumes_at), place=100),
    )
    return lambda tx: pause_subscription(tx, asked)


def _resume(situation: Situation, _: Command) -> Operation:
    asked = ResumeSubscription(subscription_id=situation.subscription.id)
    return lambda tx: resume_subscription(tx, asked)


def _pause_or_resume(situation: Situation, command: Command) -> Operation:
    is_paused = situation.subscription.state is SubscriptionState.PAUSED
    return (_resume if is_paused else _pause)(situation, command)


def _cancel(situation: Situation, command: Command) -> Operation:
    asked = CancelSubscription(
        subscription_id=situation.subscription.id,
        mode=command.pick((CancellationMode.PERIOD_END, *CancellationMode)),
        cancel_at=situation.now + timedelta(days=command.pick(range(1, 40), place=10)),
        proration=command.pick(CancellationProration, place=3),
    )
    return lambda tx: cancel_subscription(tx, asked)


def _undo_cancellation(situation: Situation, _: Command) -> Operation:
    asked = UndoCancellation(subscription_id=situation.subscription.id)
    return lambda tx: undo_cancellation(tx, asked)


def _undo_change(situation: Situation, _: Command) -> Operation:
    asked = UndoChange(subscription_id=situation.subscription.id)
    return lambda tx: undo_change(tx, asked)


def _pause_collection(situation: Situation, command: Command) -> Operation:
    asked = SetCollection(
        subscription_id=situation.subscription.id,
        behavior=command.pick((None, CollectionPause.MARK_UNCOLLECTIBLE, CollectionPause.VOID)),
    )
    return lambda tx: set_collection(tx, asked)


def _use(situation: Situation, command: Command) -> Operation:
    event = NewUsage(
        source="app",
        event_id=str(new_id()),
        meter=METER,
        quantity=Decimal(command.pick(range(1, 30))),
        occurred_at=situation.now,
    )
    asked = RecordUsage(
        account_id=situation.account.id, subscription_id=situation.subscription.id, events=(event,)
    )
    return lambda tx: record_usage(tx, asked)


def _move_zone(situation: Situation, command: Command) -> Operation:
    asked = UpdateAccount(account_id=situation.account.id, changes={"zone": command.pick(ZONES)})
    return lambda tx: _nothing(update_account(tx, asked))


def _grant_credit(situation: Situation, command: Command) -> Operation:
    amount = Money(command.pick(range(1, 5000, 77)), currency_of(situation.subscription.currency))
    asked = ChangeCredit(account_id=situation.account.id, amount=amount, reason="Sorry")
    return lambda tx: grant_credit(tx, asked)


def _credit_note(_: Situation, command: Command, invoice: Invoice) -> Operation:
    def amount_of(minor: int) -> int:
        return max(minor * command.pick(range(1, 8), place=3) // 8, 1)

    async def credit(tx: Tx) -> Invoice:
        lines = [line for line in await lines_of(tx, invoice.id) if line.amount_minor > 0]
        how: dict[str, Any] = command.pick(
            (
                {"amount_minor": amount_of(invoice.subtotal_minor)},
                {
                    "lines": tuple(
                        CreditLine(line.id, amount_of(line.amount_minor)) for line in lines
                    )
                },
                {},
            ),
            place=30,
        )
        return await credit_invoice(
            tx, CreditInvoice(invoice_id=invoice.id, reason="Goodwill", **how)
        )

    return credit


def _pay(_: Situation, command: Command, invoice: Invoice) -> Operation | None:
    amount_minor = max(invoice.due_minor * command.pick((1, 2, 2), place=5) // 2, 1)
    if invoice.due_minor <= 0 or invoice.number is None:
        return None

    async def settle(tx: Tx) -> Invoice:
        return await settle_invoice(
            tx, await lock_invoice(tx, invoice.id), amount_minor=amount_minor
        )

    return settle


def _void(_: Situation, __: Command, invoice: Invoice) -> Operation:
    asked = VoidInvoice(invoice_id=invoice.id, reason="Mistake")
    return lambda tx: void_invoice(tx, asked)


def _miss_payment(situation: Situation, command: Command) -> Operation:
    """A payment is missing, given up on, or comes after all."""
    subscription_id = situation.subscription.id
    if command.pick((True, False), place=2):
        return lambda tx: recover_subscription(tx, subscription_id)
    if situation.subscription.state is SubscriptionState.PAST_DUE:
        return lambda tx: mark_unpaid(tx, subscription_id)
    return lambda tx: mark_past_due(tx, subscription_id, since=situation.now)


def _keep_payment_method(situation: Situation, command: Command) -> Operation:
    present = command.pick((True, True, False))
    account_id = situation.account.id
    return lambda tx: set_payment_method_presence(tx, account_id, present=present)


def _revert_change(_: Situation, __: Command, invoice: Invoice) -> Operation:
    return lambda tx: revert_unpaid_change(tx, invoice.id)


async def _nothing(operation: Awaitable[Any]) -> None:
    await operation


def _timing(situation: Situation, command: Command) -> Any:
    return timing_of(command, now=situation.now, period=situation.subscription.period)


def _version(situation: Situation) -> PlanVersion:
    """Of the same codes as the stored one; a component may be unknown to a plan since changed to."""
    return situation.plans[0]


ON_SUBSCRIPTIONS: dict[str, Callable[[Situation, Command], Operation | None]] = {
    "change plan": _change_plan,
    "change quantity": _change_quantity,
    "add-on": _toggle_add_on,
    "pause or resume": _pause_or_resume,
    "cancel": _cancel,
    "undo cancellation": _undo_cancellation,
    "undo change": _undo_change,
    "pause collection": _pause_collection,
    "use": _use,
    "move zone": _move_zone,
    "grant credit": _grant_credit,
    "miss payment": _miss_payment,
    "keep payment method": _keep_payment_method,
}
ON_DOCUMENTS: dict[str, Callable[[Situation, Command, Invoice], Operation | None]] = {
    "credit note": _credit_note,
    "pay": _pay,
    "void": _void,
    "revert change": _revert_change,
}
NAMES = (*ON_SUBSCRIPTIONS, *ON_DOCUMENTS, *ON_DOCUMENTS)
