"""What can happen around a customer's payments, each thing with whatever may go wrong meanwhile?"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.callbacks.operations.receive_callback import Delivery, receive_callback
from billwright.features.dunning.operations.retry_payment_failure import retry_payment_failure
from billwright.features.dunning.operations.set_dunning_policy import (
    SetDunningPolicy,
    set_dunning_policy,
)
from billwright.features.dunning.operations.write_off import WriteOff, write_off
from billwright.features.dunning.rules.policy import policy_of
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_providers.port import (
    DisputeState,
    MethodKind,
    PaymentProviders,
    SavedMethod,
)
from billwright.features.payments.operations.cancel_payment import cancel_payment
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.refunds.operations.refund_payment import RefundPayment, refund_payment
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.providers.payment import discover
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.registry import Registry, Work
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, Tenant, make_tenant
from tests.faults.payments.crashing import CrashingDatabase, Killed
from tests.faults.payments.fates import Fate, Fault
from tests.faults.payments.jobs import run_jobs
from tests.faults.payments.unreliable import UnreliableProvider
from tests.features.billing import a_plan, a_subscription, an_account

POLICY = policy_of(
    {
        "schedule": ["P1D", "P2D"],
        "max_age": "P12D",
        "notices": [{"code": "payment_missing", "offset": "P0D"}],
        "entitlement_steps": [
            {"after": "P1D", "effect": "read_only"},
            {"after": "P3D", "effect": "revoke"},
        ],
        "final_action": "mark_unpaid",
    }
)
_PAUSES = (timedelta(minutes=2), timedelta(hours=1), timedelta(days=1), timedelta(days=4))
# Past the end of every policy, every page and every look-up.
_TO_THE_END = (*(timedelta(days=3),) * 5, *(timedelta(days=7),) * 4)
_BACK = "https://shop.example/back"
_ELSEWHERE = {"reconcile_providers", "check_due_vat_ids", "deliver_due_requests"}


class Doing(StrEnum):
    """What the customer, the seller, the provider or time does."""

    WAIT = "wait"
    SWEEP = "sweep"
    SWEEP_TWICE = "sweep_twice"
    JOBS = "jobs"
    DELIVER = "deliver"
    OPEN_PAGE = "open_page"
    ACT = "act"
    LEAVE = "leave"
    PAY = "pay"
    REPORT = "report"
    CANCEL_PAYMENT = "cancel_payment"
    ADD_METHOD = "add_method"
    REMOVE_METHOD = "remove_method"
    REFUND = "refund"
    CREDIT = "credit"
    VOID = "void"
    WRITE_OFF = "write_off"
    RETRY = "retry"
    DISPUTE = "dispute"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_WON = "dispute_won"
    END = "end"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Step:
    """One of them: `number` chooses among what there is, `faults` are those of the provider's next
    requests, `fates` of its next payments, and the process dies after `dies_after` statements.
    """

    doing: Doing
    number: int = 0
    faults: tuple[Fault | None, ...] = ()
    fates: tuple[Fate, ...] = ()
    dies_after: int | None = None


@dataclass(slots=True)
class World:
    tenant: Tenant
    clock: FixedClock
    registry: Registry
    provider: UnreliableProvider
    account: Account
    subscription_id: UUID
    cards: int = 1
    undelivered: list[Any] = field(default_factory=list)

    @property
    def database(self) -> CrashingDatabase:
        database = self.tenant.database
        assert isinstance(database, CrashingDatabase)
        return database

    @property
    def providers(self) -> PaymentProviders:
        return PaymentProviders({**discover(), self.provider.name: self.provider})

    def work(self) -> Work:
        return replace(
            self.tenant.work(), providers={PaymentProviders: self.providers, SecretBox: BOX}
        )

    async def take(self, step: Step) -> None:
        """Do one thing. A refusal is an answer, and a process that died is started again."""
        self.provider.faults.extend(step.faults)
        self.provider.fates.extend(step.fates)
        self.database.die_after(step.dies_after)
        with suppress(Killed, Refusal):
            await self._doings()[step.doing](step.number)
        self.database.die_after(None)
        self.provider.faults.clear()

    def _doings(self) -> dict[Doing, Callable[[int], Awaitable[Any]]]:
        return {
            Doing.WAIT: self._wait,
            Doing.SWEEP: self._sweep,
            Doing.SWEEP_TWICE: self._sweep_twice,
            Doing.JOBS: self._run_jobs,
            Doing.DELIVER: self._deliver,
            Doing.OPEN_PAGE: self._open_page,
            Doing.ACT: self._act,
            Doing.LEAVE: self._leave,
            Doing.PAY: self._pay,
            Doing.REPORT: self._report,
            Doing.CANCEL_PAYMENT: self._cancel_payment,
            Doing.ADD_METHOD: self._add_method,
            Doing.REMOVE_METHOD: self._remove_method,
            Doing.REFUND: self._refund,
            Doing.CREDIT: self._credit,
            Doing.VOID: self._void,
            Doing.WRITE_OFF: self._write_off,
            Doing.RETRY: self._retry,
            Doing.DISPUTE: self._dispute,
            Doing.DISPUTE_LOST: self._dispute_lost,
            Doing.DISPUTE_WON: self._dispute_won,
            Doing.END: self._end,
            Doing.RECONCILE: self._reconcile,
        }

    async def settle(self) -> None:
        """Let everything that was begun come to its end: nothing fails any more, nobody pays or asks,
        and time passes until nothing is due.
        """
        self.provider.faults.clear()
        self.provider.fates.clear()
        with suppress(Refusal):
            async with self.tenant.tx() as tx:
                await set_renewal(
                    tx, SetRenewal(subscription_id=self.subscription_id, renews=False)
                )
        for pause in (*_PAUSES, *_TO_THE_END):
            self.clock.move_to(self.clock.now() + pause)
            self.provider.act(pays=False)
            await self._everything()
        await self._reconcile(0)
        await self._everything()

    async def _everything(self) -> None:
        await self._sweep(0)
        await self._run_jobs(0)
        await self._deliver(0)
        await self._run_jobs(0)

    async def _wait(self, number: int) -> None:
        self.clock.move_to(self.clock.now() + _PAUSES[number % len(_PAUSES)])

    async def _sweep(self, number: int) -> None:
        sweeps = [sweep for sweep in self.registry.sweeps if sweep.name not in _ELSEWHERE]
        Random(number).shuffle(sweeps)
        for sweep in sweeps:
            await sweep.run(self.work())

    async def _sweep_twice(self, number: int) -> None:
        results = await asyncio.gather(
            self._sweep(number), self._sweep(number + 1), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _run_jobs(self, _number: int) -> None:
        await run_jobs(self.work(), self.registry)

    async def _deliver(self, number: int) -> None:
        """In any order, and some of it twice, also later."""
        random = Random(number)
        self.undelivered += self.provider.take_deliveries()
        random.shuffle(self.undelivered)
        told = self.undelivered[:]
        if number % 2:
            told += random.sample(told, len(told) // 2)
        for one in told:
            await receive_callback(
                self.database,
                Delivery(
                    provider=self.provider.name,
                    headers=self.provider.signed_again(one),
                    body=one.body,
                ),
                providers=self.providers,
                box=BOX,
                default_tenant="default",
            )
        self.undelivered.clear()

    async def _open_page(self, number: int) -> None:
        invoice_id = await self._one("select id from invoice where kind = 'invoice'", number)
        await open_page(
            self.tenant.tx,
            OpenPage(
                invoice_id=invoice_id,
                success_url=_BACK,
                cancel_url=_BACK,
                saves_method=bool(number % 2),
                provider=self.provider.name,
            ),
            providers=self.providers,
            box=BOX,
        )

    async def _act(self, _number: int) -> None:
        self.provider.act(pays=True)

    async def _leave(self, _number: int) -> None:
        self.provider.act(pays=False)

    async def _pay(self, number: int) -> None:
        await self._start(number, provider=self.provider.name)

    async def _report(self, number: int) -> None:
        await self._start(number, provider="manual")

    async def _start(self, number: int, *, provider: str) -> None:
        invoice_id = await self._one("select id from invoice where kind = 'invoice'", number)
        amount = Money(4629 - 1000 * (number % 3), currency_of("EUR"))
        async with self.tenant.tx() as tx:
            command = StartPayment(invoice_id=invoice_id, amount=amount, provider=provider)
            attempt = await start_payment(tx, command, providers=self.providers)
        await collect_attempt(self.tenant.tx, attempt.id, providers=self.providers, box=BOX)

    async def _cancel_payment(self, number: int) -> None:
        payment_id = await self._one("select id from payment", number)
        await cancel_payment(self.tenant.tx, payment_id, providers=self.providers, box=BOX)

    async def _add_method(self, _number: int) -> None:
        self.cards += 1
        await self.add_card()

    async def add_card(self) -> None:
        card = SavedMethod(
            reference=f"card {self.cards}",
            kind=MethodKind.CARD,
            label="Visa •••• 4242",
            payer_reference="payer",
        )
        async with self.tenant.tx() as tx:
            await store_method(
                tx,
                account_id=self.account.id,
                provider=self.provider.name,
                method=card,
                consent="in person",
                box=BOX,
            )

    async def _remove_method(self, number: int) -> None:
        method_id = await self._one("select id from payment_method", number)
        async with self.tenant.tx() as tx:
            await remove_method(tx, method_id)

    async def _refund(self, number: int) -> None:
        payment_id = await self._one("select id from payment where state = 'succeeded'", number)
        amount = Money(1000, currency_of("EUR")) if number % 2 else None
        async with self.tenant.tx() as tx:
            await refund_payment(
                tx, RefundPayment(payment_id=payment_id, reason="Sorry", amount=amount)
            )

    async def _credit(self, number: int) -> None:
        invoice_id = await self._one("select id from invoice where kind = 'invoice'", number)
        allocation = Allocation(to_refund_minor=1190) if number % 2 else None
        async with self.tenant.tx() as tx:
            await credit_invoice(
                tx,
                CreditInvoice(
                    invoice_id=invoice_id, reason="Sorry", amount_minor=1000, allocation=allocation
                ),
            )

    async def _void(self, number: int) -> None:
        invoice_id = await self._one("select id from invoice where kind = 'invoice'", number)
        async with self.tenant.tx() as tx:
            await void_invoice(tx, VoidInvoice(invoice_id=invoice_id, reason="A mistake"))

    async def _write_off(self, number: int) -> None:
        case_id = await self._one("select id from dunning_case", number)
        async with self.tenant.tx() as tx:
            await write_off(tx, WriteOff(case_id=case_id, reason="In vain"))

    async def _retry(self, number: int) -> None:
        case_id = await self._one("select id from dunning_case", number)
        async with self.tenant.tx() as tx:
            await retry_payment_failure(tx, case_id)

    async def _dispute(self, _number: int) -> None:
        self.provider.dispute(DisputeState.OPEN)

    async def _dispute_lost(self, _number: int) -> None:
        self.provider.dispute(DisputeState.LOST)

    async def _dispute_won(self, _number: int) -> None:
        self.provider.dispute(DisputeState.WON)

    async def _end(self, number: int) -> None:
        mode = CancellationMode.NOW if number % 2 else CancellationMode.PERIOD_END
        async with self.tenant.tx() as tx:
            await cancel_subscription(
                tx, CancelSubscription(subscription_id=self.subscription_id, mode=mode)
            )

    async def _reconcile(self, _number: int) -> None:
        for sweep in self.registry.sweeps:
            if sweep.name == "reconcile_providers":
                await sweep.run(self.work())

    async def _one(self, sql: str, number: int) -> UUID:
        async with self.tenant.tx() as tx:
            rows = await tx.fetch(f"{sql} order by id")
        if not rows:
            raise _NothingThere
        found: UUID = rows[number % len(rows)]["id"]
        return found


class _NothingThere(Killed):
    """There is nothing of the kind to do this to."""


async def a_world(
    database: CrashingDatabase, clock: FixedClock, registry: Registry, *, code: str
) -> World:
    """A customer with a card, whose first invoice is due at once."""
    tenant = await make_tenant(database, code)
    provider = UnreliableProvider(clock.now, deque(), deque())
    async with tenant.tx() as tx:
        await set_dunning_policy(tx, SetDunningPolicy(policy=POLICY))
        await a_plan(tx)
        account = await an_account(tx, payment_terms_days=0)
    world = World(tenant, clock, registry, provider, account, subscription_id=account.id)
    await world.add_card()
    async with tenant.tx() as tx:
        started = await a_subscription(tx, account)
    world.subscription_id = started.subscription.id
    return world
