"""What do the golden cases tell their stories with? Steps at instants, and the documents in words."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from textwrap import dedent
from typing import Any

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.update_account import UpdateAccount, update_account
from billwright.features.catalog.model import Plan
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.catalog.operations.create_plan_version import (
    CreatePlanVersion,
    create_plan_version,
)
from billwright.features.invoicing.jobs import invoice_due_accounts
from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.sql.reads_credit import credit_balance
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import Commanded, Proration, Subscription
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.change_quantity import (
    ChangeQuantity,
    change_quantity,
)
from billwright.features.subscriptions.operations.pause_subscription import (
    PauseSubscription,
    ResumeSubscription,
    pause_subscription,
    resume_subscription,
)
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.tenancy.operations.update_seller import update_seller
from billwright.features.tenancy.sql.reads import the_seller
from billwright.features.usage.model import NewUsage
from billwright.kernel.actor import system_actor
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.usage.recording import RecordUsage, record_usage
from tests.scenarios.storytelling import invoices_of

EVERY = {
    "hour": Interval(IntervalUnit.HOUR),
    "day": Interval(IntervalUnit.DAY),
    "week": Interval(IntervalUnit.WEEK),
    "month": Interval(IntervalUnit.MONTH),
    "quarter": Interval(IntervalUnit.MONTH, 3),
    "year": Interval(IntervalUnit.YEAR),
}
_WAYS = {
    "period_end": Effective.PERIOD_END,
    **{proration.value: Effective.NOW for proration in Proration},
}
_MARKS = {
    "recurring": "",
    "one_time": " once",
    "usage": " used",
    "usage_adjustment": " adjusted",
    "minimum": " minimum",
    "proration_credit": " back",
    "credit": " credited",
    "manual": "",
}

_PAYABLE = {InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID}
_UNCOMMON = {InvoiceState.DRAFT, InvoiceState.VOID, InvoiceState.UNCOLLECTIBLE}


def at(text: str) -> datetime:
    """An instant in UTC; a date alone is its midnight."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(text: str) -> str:
    """What `Story.documents` answers, as it is written down in a test."""
    return dedent(text).strip()


def component(
    code: str, pricing: str | Pricing, *, currency: str = "EUR", **changes: Any
) -> NewComponent:
    """A component with one price: of each unit, unless it is a definition."""
    price = PerUnit(price=Decimal(pricing)) if isinstance(pricing, str) else pricing
    return NewComponent(code=code, name=code.title(), prices=((currency, price),), **changes)


def fee(price: str, *, currency: str = "EUR", **changes: Any) -> NewComponent:
    """What a plan costs whatever the units."""
    return component("fee", Flat(price=Decimal(price)), currency=currency, **changes)


def units(**quantities: float | str) -> dict[str, Decimal]:
    """Units by component."""
    return {code: Decimal(str(quantity)) for code, quantity in quantities.items()}


class Story:
    """One customer of a seller without taxes, both in UTC, and one subscription at a time.

    Every step names its instant, and time passes up to there with a billing run whenever something
    is due. The customer pays every invoice on the spot, unless `pays_promptly` is taken away.
    """

    def __init__(self, tenant: Tenant, clock: FixedClock) -> None:
        self.tenant = tenant
        self.clock = clock
        self.account: Account | None = None
        self.subscription: Subscription | None = None
        self.pays_promptly = True

    async def seller(self, **changes: Any) -> None:
        async with self.tenant.tx() as tx:
            await update_seller(tx, replace(await the_seller(tx), **changes))

    async def plan(
        self, code: str, *components: str | NewComponent, every: str = "month", **changes: Any
    ) -> Plan:
        """A plan; text is the price of a fee."""
        async with self.tenant.tx() as tx:
            return await a_plan(
                tx,
                code,
                name=code,
                interval=EVERY[every],
                components=tuple(fee(one) if isinstance(one, str) else one for one in components),
                features=(),
                **changes,
            )

    async def plan_version(self, code: str, price: str) -> None:
        """The plan's next version, with a fee of another price."""
        async with self.tenant.tx() as tx:
            command = CreatePlanVersion(
                plan_code=code, name=code, interval=EVERY["month"], components=(fee(price),)
            )
            await create_plan_version(tx, command)

    async def customer(self, **changes: Any) -> Account:
        async with self.tenant.tx() as tx:
            self.account = await an_account(tx, **{"zone": "UTC", **changes})
        return self.account

    async def customer_moves(self, when: str, *, zone: str) -> None:
        await self.until(when)
        assert self.account is not None
        async with self.tenant.tx() as tx:
            await update_account(
                tx, UpdateAccount(account_id=self.account.id, changes={"zone": zone})
            )

    async def subscribes(self, when: str, plan: str, **changes: Any) -> Subscription:
        await self.until(when)
        account = self.account or await self.customer()
        async with self.tenant.tx() as tx:
            self._keep(await a_subscription(tx, account, plan, **changes))
        await self._pay()
        return self._own

    async def changes(
        self, when: str, plan: str, how: str = "invoice_now", *, on: str | None = None, **more: Any
    ) -> None:
        """To another plan: in one of the four ways, or at the period's end; at the instant `on`."""
        timing = self._timing(how, on=on)
        async with self._command(when) as (tx, own):
            self._keep(
                await change_plan(tx, ChangePlan(**own, plan_code=plan, timing=timing, **more))
            )

    async def sets(
        self,
        when: str,
        quantities: Mapping[str, Decimal],
        how: str = "invoice_now",
        *,
        on: str | None = None,
    ) -> None:
        """Other units."""
        timing = self._timing(how, on=on)
        async with self._command(when) as (tx, own):
            command = ChangeQuantity(**own, quantities=quantities, timing=timing)
            self._keep(await change_quantity(tx, command))

    async def pauses(self, when: str, **how: Any) -> None:
        async with self._command(when) as (tx, own):
            self._keep(await pause_subscription(tx, PauseSubscription(**own, **how)))

    async def resumes(self, when: str) -> None:
        async with self._command(when) as (tx, own):
            self._keep(await resume_subscription(tx, ResumeSubscription(**own)))

    async def cancels(self, when: str, **how: Any) -> None:
        async with self._command(when) as (tx, own):
            self._keep(await cancel_subscription(tx, CancelSubscription(**own, **how)))

    async def does(self, when: str, operation: Any, command: Any, **values: Any) -> None:
        """Any other operation on the subscription, with its command's class."""
        async with self._command(when) as (tx, own):
            self._keep(await operation(tx, command(**own, **values)))

    async def rehearses(self, when: str, operation: Any, command: Any, **values: Any) -> Commanded:
        """What an operation would do."""
        await self.until(when)
        async with self.tenant.database.rehearsal(
            self.tenant.id, actor=system_actor("test"), cause="test"
        ) as tx:
            answer: Commanded = await operation(tx, command(subscription_id=self._own.id, **values))
        return answer

    async def uses(self, when: str, quantity: str, *, meter: str = "calls") -> None:
        async with self._command(when) as (tx, own):
            event = NewUsage(
                source="app",
                event_id=str(new_id()),
                meter=meter,
                quantity=Decimal(quantity),
                occurred_at=tx.now,
            )
            await record_usage(
                tx, RecordUsage(account_id=self._own.account_id, **own, events=(event,))
            )

    async def pay(self) -> None:
        """All that is due."""
        for one in await self.invoices():
            if one.due_minor and one.state in _PAYABLE:
                async with self.tenant.tx() as tx:
                    invoice = await lock_invoice(tx, one.id)
                    await settle_invoice(tx, invoice, amount_minor=invoice.due_minor)

    async def until(self, when: str) -> None:
        """Let time pass, with a billing run at every instant at which something is due."""
        target = at(when)
        while (due := await self._next_due()) is not None and due <= target:
            self.clock.move_to(max(due, self.clock.now()))
            await self.bill()
            assert await self._next_due() != due, f"what is due at {due} stays due"
        self.clock.move_to(target)

    async def bill(self) -> None:
        """A billing run, and what the account's billing day brings."""
        work = self.tenant.work()
        await renew_due_subscriptions(work)
        await invoice_due_accounts(work)
        await self._pay()

    async def now(self) -> Subscription:
        """The subscription as it stands."""
        async with self.tenant.tx() as tx:
            return await subscription_by_id(tx, self._own.id)

    async def invoices(self) -> list[Invoice]:
        return await invoices_of(self.tenant)

    async def balance(self, currency: str = "EUR") -> str:
        """What the account has with the seller."""
        async with self.tenant.tx() as tx:
            return str(
                await credit_balance(tx, self._own.account_id, currency=currency_of(currency))
            )

    async def documents(self) -> str:
        """Every document with its sum without tax and its lines, oldest first."""
        async with self.tenant.tx() as tx:
            lines: Any = await tx.fetch(
                """select c.*, p.code as plan, k.code as component from charge c
                   join plan_component k on k.id = c.plan_component_id
                   join plan_version v on v.id = k.plan_version_id
                   join plan p on p.id = v.plan_id
                   where c.invoice_id is not null order by c.position"""
            )
        text = []
        for invoice in await self.invoices():
            text.append(_head(invoice))
            text += [_line(one) for one in lines if one["invoice_id"] == invoice.id]
        return "\n".join(text)

    @property
    def _own(self) -> Subscription:
        assert self.subscription is not None
        return self.subscription

    def _keep(self, commanded: Commanded) -> None:
        self.subscription = commanded.subscription

    def _timing(self, how: str, *, on: str | None) -> ChangeTiming:
        proration = Proration.INVOICE_NOW if how == "period_end" else Proration(how)
        if on is not None:
            return ChangeTiming(effective=Effective.AT, at=at(on), proration=proration)
        return ChangeTiming(effective=_WAYS[how], proration=proration)

    @asynccontextmanager
    async def _command(self, when: str) -> Any:
        await self.until(when)
        async with self.tenant.tx() as tx:
            yield tx, {"subscription_id": self._own.id}
        await self._pay()

    async def _pay(self) -> None:
        if self.pays_promptly:
            await self.pay()

    async def _next_due(self) -> datetime | None:
        async with self.tenant.tx() as tx:
            found: list[datetime | None] = [
                await tx.fetch_value(
                    """select min(s.next_action_at) from subscription s
                       join account a on a.id = s.account_id where a.parked_reason is null"""
                ),
                await tx.fetch_value("select min(next_invoice_at) from account"),
            ]
        action, billing_day = found
        # Billing days are invoiced an hour after they have begun.
        settled = billing_day + timedelta(hours=1) if billing_day else None
        return min((one for one in (action, settled) if one is not None), default=None)


def _head(invoice: Invoice) -> str:
    code = invoice.currency.code
    kind = invoice.kind.replace("_", " ")
    made = _instant(invoice.finalized_at or invoice.created_at)
    text = f"{made} {kind} {_amount(invoice.subtotal_minor, code)}"
    offset_minor = 0
    if invoice.kind is DocumentKind.CREDIT_NOTE:
        offset_minor = -invoice.total_minor - invoice.to_balance_minor - invoice.to_refund_minor
    for amount_minor, where in (
        (invoice.credit_applied_minor, "from credit"),
        (offset_minor, "off what is due"),
        (invoice.to_balance_minor, "to credit"),
        (invoice.to_refund_minor, "to refund"),
    ):
        if amount_minor:
            text += f", {_amount(amount_minor, code)} {where}"
    return f"{text}, {invoice.state}" if invoice.state in _UNCOMMON else text


def _line(row: Any) -> str:
    quantity = row["quantity"].normalize()
    times = "" if quantity == 1 else f" x {quantity:f}"
    amount = _amount(row["amount_minor"], row["currency"])
    if row["discount_minor"]:
        listed = row["amount_minor"] + row["discount_minor"]
        taken = _amount(row["discount_minor"], row["currency"])
        amount = f"{amount} ({_amount(listed, row['currency'])} less {taken})"
    span = ""
    if row["period_start"] != row["period_end"]:
        span = f", {_instant(row['period_start'])} to {_instant(row['period_end'])}"
    return f"  {row['plan']} {row['component']}{times}{_MARKS[row['kind']]} {amount}{span}"


def _instant(instant: datetime) -> str:
    utc = instant.astimezone(UTC)
    if utc.time() == datetime.min.time():
        return utc.date().isoformat()
    return utc.strftime("%Y-%m-%dT%H:%M")


def _amount(minor: int, currency: str) -> str:
    places = currency_of(currency).exponent
    return f"{Decimal(minor).scaleb(-places):.{places}f}"
