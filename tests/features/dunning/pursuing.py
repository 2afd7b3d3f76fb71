"""What do stories of dunning start from? An invoice of 46.29 EUR that is due on 29 January in Berlin, a
card, and a bank that declines it for as long as nothing else is scripted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from billwright.features.dunning.jobs import take_due_dunning_steps
from billwright.features.dunning.operations.retry_payment_failure import retry_payment_failure
from billwright.features.dunning.operations.set_dunning_policy import (
    SetDunningPolicy,
    set_dunning_policy,
)
from billwright.features.dunning.rules.policy import DunningPolicy
from billwright.features.dunning.rules.records import DunningCase
from billwright.features.dunning.sql.reads import list_cases
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.sql.reads import default_method_of
from billwright.features.payment_providers.port import CollectRequest, ProviderAnswer
from billwright.features.payments.jobs import collect_due_invoices
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode, Subscription
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.sql.reads import (
    account_of,
    list_subscriptions,
    subscription_by_id,
)
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.json import from_json
from billwright.runtime.queue.registry import Work
from tests.conftest import BOX, Tenant
from tests.features.payments.paying import (
    DECLINED,
    ScriptedProvider,
    an_invoice,
    leave_card,
    work_with,
)

DUE = datetime(2026, 1, 28, 23, tzinfo=UTC)
"""When 29 January begins in Berlin, which is when the invoice is collected."""


class Bank(ScriptedProvider):
    """Declines whatever the script says nothing of."""

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        if not self.script:
            self.script.append(DECLINED)
        return await super().collect(request)


@dataclass
class Pursuit:
    """A tenant with one customer, and its time."""

    tenant: Tenant
    clock: FixedClock
    invoice: Invoice
    bank: Bank = field(default_factory=Bank)

    @property
    def work(self) -> Work:
        return work_with(self.tenant, self.bank.providers)

    async def live_until(self, until: datetime) -> None:
        """Let time pass, with the worker at every instant at which something is due."""
        while (due := await self._due()) is not None and due <= until:
            self.clock.move_to(max(due, self.clock.now()))
            await self.sweep()
        self.clock.move_to(until)
        await self.sweep()

    async def sweep(self) -> None:
        await renew_due_subscriptions(self.work)
        await collect_due_invoices(self.work)
        await take_due_dunning_steps(self.work)

    async def _due(self) -> datetime | None:
        async with self.tenant.tx() as tx:
            at: datetime | None = await tx.fetch_value(
                """select least((select min(due_at) from dunning_case c join account a
                                     on a.id = c.account_id where a.parked_reason is null),
                                (select min(collect_at) from invoice i join account a
                                     on a.id = i.account_id where a.parked_reason is null),
                                (select min(next_action_at) from subscription s join account a
                                     on a.id = s.account_id where a.parked_reason is null))"""
            )
        return at

    async def case(self) -> DunningCase:
        """The only case that there is."""
        [case] = await self.cases()
        return case

    async def cases(self) -> list[DunningCase]:
        async with self.tenant.tx() as tx:
            return await list_cases(tx, before=None, limit=99)

    async def subscription(self) -> Subscription:
        async with self.tenant.tx() as tx:
            [first] = (await list_subscriptions(tx, before=None, limit=9))[-1:]
            return await subscription_by_id(tx, first.id)

    async def invoice_now(self) -> Invoice:
        async with self.tenant.tx() as tx:
            return await invoice_by_id(tx, self.invoice.id)

    async def access(self, subscription_id: UUID | None = None) -> str:
        """How much is left of what the subscription gives; `none` when it gives nothing."""
        asked = subscription_id or (await self.subscription()).id
        async with self.tenant.tx() as tx:
            account_id = await account_of(tx, asked)
            decisions = from_json((await fresh_snapshot(tx, account_id)).decisions)
        given = decisions["subscriptions"].get(str(asked))
        return given["access"] if given else "none"

    async def told_of(self, event_type: str) -> list[tuple[datetime, dict[str, Any]]]:
        """What was published of one kind, in order."""
        async with self.tenant.tx() as tx:
            rows = await tx.fetch(
                "select occurred_at, data from event where type = $1 order by id", event_type
            )
        return [(row["occurred_at"], from_json(row["data"])) for row in rows]

    async def retry(self) -> None:
        """A person asks for an attempt now."""
        async with self.tenant.tx() as tx:
            advanced = await retry_payment_failure(tx, (await self.case()).id)
        assert advanced.attempt_id is not None
        await self.collect(advanced.attempt_id)

    async def collect(self, attempt_id: UUID) -> None:
        providers = self.bank.providers
        await collect_attempt(self.tenant.tx, attempt_id, providers=providers, box=BOX)

    async def collect_reserved(self) -> None:
        """Do what the worker does with what a commit has reserved."""
        async with self.tenant.tx() as tx:
            rows = await tx.fetch("select id from payment_attempt where state = 'created'")
        for row in rows:
            await self.collect(row["id"])

    async def answer(self, answer: ProviderAnswer) -> None:
        """The provider tells what became of the attempt that is live."""
        async with self.tenant.tx() as tx:
            [live] = (await live_attempts_of(tx, [self.invoice.id])).values()
            await record_attempt(tx, attempt_id=live.id, answer=answer, box=BOX)

    async def cancel(self) -> None:
        subscription = await self.subscription()
        command = CancelSubscription(subscription_id=subscription.id, mode=CancellationMode.NOW)
        async with self.tenant.tx() as tx:
            await cancel_subscription(tx, command)

    async def remove_card(self) -> None:
        async with self.tenant.tx() as tx:
            default = await default_method_of(tx, self.invoice.account_id)
            assert default is not None
            await remove_method(tx, default.id)


async def a_pursuit(
    tenant: Tenant,
    clock: FixedClock,
    *,
    policy: DunningPolicy | None = None,
    has_card: bool = True,
    **account: Any,
) -> Pursuit:
    """The invoice is open and not due yet."""
    invoice = await an_invoice(tenant, zone="Europe/Berlin", **account)
    if policy is not None:
        async with tenant.tx() as tx:
            await set_dunning_policy(tx, SetDunningPolicy(policy=policy))
    if has_card:
        await leave_card(tenant, invoice)
    return Pursuit(tenant, clock, invoice)


def on_clock(work: Work, clock_id: UUID, as_of: datetime) -> Work:
    """The same work for the accounts of a test clock."""
    return replace(work, test_clock_id=clock_id, as_of=as_of)
