"""How does a generated story run through PostgreSQL? Every command is rehearsed before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import note

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.create_account import CreateAccount, create_account
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.operations.create_plan import (
    CreatePlan,
    NewComponent,
    create_plan,
)
from billwright.features.invoicing.jobs import invoice_due_accounts
from billwright.features.invoicing.model import Billed, Invoice
from billwright.features.invoicing.sql.reads import list_invoices
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import (
    Commanded,
    Subscription,
)
from billwright.features.subscriptions.operations.create_subscription import (
    CreateSubscription,
    create_subscription,
)
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.operations.update_seller import update_seller
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.actor import system_actor
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.histories.commands import Command
from tests.histories.requests import ON_DOCUMENTS, ON_SUBSCRIPTIONS, Operation, Situation


@dataclass
class Story:
    """A tenant with one account and its subscription."""

    tenant: Tenant
    clock: FixedClock
    plans: tuple[PlanVersion, ...]
    account: Account
    subscription: Subscription

    async def tell(self, command: Command) -> None:
        """Let the time pass, bill what is due, and carry the command out as it was rehearsed."""
        now = command.wait.until(self.clock.now(), period=self.subscription.period)
        self.clock.move_to(now)
        await self.bill()
        operation = await self._operation(command)
        if operation is None:
            return
        expected = await self._rehearsed(operation)
        made = await self._made(operation)
        note(f"{now} {self.subscription.state} {command.name}: {made}")
        assert made == expected, "a rehearsal foretells what happens"
        await self.bill()

    async def bill(self) -> None:
        """The billing run, which has nothing left to do when it comes again."""
        for job in (renew_due_subscriptions, invoice_due_accounts):
            await job(self.tenant.work())
            assert await job(self.tenant.work()) == 0
        async with self.tenant.tx() as tx:
            self.subscription = await subscription_by_id(tx, self.subscription.id)
            account = await account_by_id(tx, self.account.id)
        assert account.parked_reason is None, account.parked_reason
        next_action_at = self.subscription.next_action_at
        assert next_action_at is None or next_action_at > self.clock.now()

    async def invoices(self) -> list[Invoice]:
        """Oldest first."""
        async with self.tenant.tx() as tx:
            return (await list_invoices(tx, before=None, limit=1000))[::-1]

    async def _rehearsed(self, operation: Operation) -> object:
        async with self.tenant.database.rehearsal(
            self.tenant.id, actor=system_actor("test"), cause="test"
        ) as tx:
            return await _outcome(tx, operation)

    async def _made(self, operation: Operation) -> object:
        outcome: object = None
        try:
            async with self.tenant.tx() as tx:
                outcome = await _outcome(tx, operation)
                if isinstance(outcome, str):
                    raise _RolledBack
        except _RolledBack:
            pass
        return outcome

    async def _operation(self, command: Command) -> Operation | None:
        situation = Situation(self.clock.now(), self.plans, self.account, self.subscription)
        if command.name not in ON_DOCUMENTS:
            return ON_SUBSCRIPTIONS[command.name](situation, command)
        invoices = await self.invoices()
        if not invoices:
            return None
        return ON_DOCUMENTS[command.name](situation, command, command.pick(invoices))


class _RolledBack(Exception):
    pass


async def begun_story(
    tenant: Tenant,
    clock: FixedClock,
    plans: tuple[PlanVersion, ...],
    *,
    seller: dict[str, Any],
    account: dict[str, Any],
    subscription: dict[str, Any],
) -> Story:
    """A new tenant sells these plans, and an account subscribes to the first one."""
    async with tenant.tx() as tx:
        own: Seller = await the_seller(tx)
        await update_seller(tx, replace(own, **seller))
        for plan in plans:
            await create_plan(tx, _sold(plan))
        customer = await create_account(tx, CreateAccount(name="Riverbank Books", **account))
    async with tenant.tx() as tx:
        started = await create_subscription(
            tx,
            CreateSubscription(
                account_id=customer.id, plan_code=plans[0].plan_code, **subscription
            ),
        )
    return Story(tenant, clock, plans, customer, started.subscription)


def _sold(plan: PlanVersion) -> CreatePlan:
    return CreatePlan(
        code=plan.plan_code,
        name=plan.name,
        interval=plan.interval,
        tax_inclusive=plan.tax_inclusive,
        terms=plan.terms,
        components=tuple(
            NewComponent(
                code=one.code,
                name=one.name,
                prices=tuple(one.prices.items()),
                kind=one.kind,
                timing=one.timing,
                unit_name=one.unit_name,
                optional=one.optional,
                free_units=one.free_units,
                minimums=tuple(one.minimums.items()),
                meter=one.meter,
            )
            for one in plan.components
        ),
    )


async def _outcome(tx: Tx, operation: Operation) -> object:
    """What of an operation's answer does not depend on ids that are made anew; the code of a refusal."""
    try:
        answer = await operation(tx)
    except Refusal as refusal:
        return refusal.code
    match answer:
        case Commanded():
            return (answer.subscription.state, answer.subscription.period, *_told(answer.billed))
        case Invoice():
            return (answer.number, answer.total_minor, answer.tax_minor, answer.due_minor)
        case _:
            return answer


def _told(billed: Billed) -> tuple[object, ...]:
    documents = [(one.number, one.total_minor, one.kind, one.due_minor) for one in billed.documents]
    return (documents, billed.pending, billed.held)
