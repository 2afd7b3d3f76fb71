"""Which customers does a benchmark bill?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from uuid import UUID

import asyncpg

import billwright.features
from billwright.features.accounts.operations.create_account import CreateAccount, create_account
from billwright.features.catalog.model import FeatureKind, PlanFeature, Timing
from billwright.features.catalog.operations.create_plan import (
    CreatePlan,
    NewComponent,
    create_plan,
)
from billwright.features.entitlements.model import Question
from billwright.features.entitlements.operations.answer_questions import answer_questions
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.subscriptions.operations.create_subscription import (
    CreateSubscription,
    create_subscription,
)
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.kernel.actor import system_actor
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.ids import TenantId, new_id
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover

BEGINNING = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FEATURES_WITH_A_LIMIT = (
    PlanFeature("api_calls", "API calls", FeatureKind.METERED, "1000"),
    PlanFeature("region", "Region", FeatureKind.STATIC, "eu"),
    PlanFeature("sso", "Single sign-on", FeatureKind.BOOLEAN, value=True),
)
# Autovacuum would have analyzed these, and only these: the rest is almost empty when a run begins, and
# a statistic of an almost empty table misleads the planner.
_LOADED_TABLES = (
    "account",
    "subscription",
    "subscription_item",
    "entitlement_source",
    "entitlement_snapshot",
    "entitlement_pool",
    "entitlement_allotment",
)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Tenants with subscriptions that all began at one instant, and a key that may read the first
    tenant's.
    """

    database: Database
    clock: FixedClock
    tenant_ids: Sequence[TenantId]
    api_key: str
    subscription_ids: Sequence[UUID]

    @property
    def tenant_id(self) -> TenantId:
        return self.tenant_ids[0]

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        return _tx(self.database, self.tenant_id)


async def create_portfolio(
    dsn: str,
    *,
    subscriptions: int,
    features: Sequence[PlanFeature],
    tenants: int = 1,
    beginning: datetime = BEGINNING,
) -> Portfolio:
    """Fill a migrated database; tenants get equally many subscriptions, give or take one. Each has a
    flat base fee and seats in advance and calls in arrears; quantities differ between subscriptions, so
    that no cache of amounts could help.
    """
    clock = FixedClock(beginning)
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(dsn, outbox=outbox, clock=clock)
    tenant_ids, api_keys, subscription_ids = [], [], []
    connection = await asyncpg.connect(dsn)
    try:
        for place in range(tenants):
            tenant_id = TenantId(new_id())
            api_key, first = await _create_tenant(
                database, tenant_id, code=f"tenant-{place + 1:02d}", features=features
            )
            own = len(range(place, subscriptions, tenants))
            tenant_ids.append(tenant_id)
            api_keys.append(api_key)
            subscription_ids += [
                first,
                *await _copy_subscription(connection, first, copies=own - 1),
            ]
        for table in _LOADED_TABLES:
            await connection.execute(f"analyze {table}")
    finally:
        await connection.close()
    return Portfolio(database, clock, tenant_ids, api_keys[0], subscription_ids)


async def _create_tenant(
    database: Database, tenant_id: TenantId, *, code: str, features: Sequence[PlanFeature]
) -> tuple[str, UUID]:
    """A tenant with one subscription: a key for it, and the subscription's id."""
    async with _tx(database, tenant_id) as tx:
        await create_tenant(tx, _tenant(code))
        api_key = (await create_api_key(tx, name="benchmark")).text
        await create_plan(tx, _plan(features))
        account = await create_account(tx, CreateAccount(name="Customer 1"))
        started = await create_subscription(
            tx,
            CreateSubscription(
                account_id=account.id,
                plan_code="team",
                quantities={"seats": Decimal(3), "calls": Decimal(417)},
            ),
        )
        if features:
            # What is counted of it at the first question is copied with it.
            await answer_questions(
                tx, [Question(account_id=account.id, feature=one.code) for one in features]
            )
    return api_key, started.subscription.id


def _tx(database: Database, tenant_id: TenantId) -> AbstractAsyncContextManager[Tx]:
    return database.tx(tenant_id, actor=system_actor("benchmark"), cause="benchmark")


def _tenant(code: str) -> CreateTenant:
    return CreateTenant(
        code=code,
        name="Benchmark",
        seller=Seller(
            id=new_id(),
            party=SellerParty(
                name="Example Cloud GmbH",
                address=Address(
                    line1="Beispielstraße 12", postal_code="10115", city="Berlin", country="DE"
                ),
                tax_id="DE123456789",
                email="billing@example.com",
            ),
            currency="EUR",
            zone="Europe/Berlin",
            tax_rates={"standard": Decimal("0.19")},
        ),
    )


def _plan(features: Sequence[PlanFeature]) -> CreatePlan:
    return CreatePlan(
        code="team",
        name="Team",
        interval=Interval(IntervalUnit.MONTH),
        components=(
            NewComponent(code="base", name="Base", prices=(("EUR", Flat(price=Decimal(29))),)),
            NewComponent(
                code="seats",
                name="Seats",
                unit_name="seat",
                prices=(("EUR", PerUnit(price=Decimal("9.90"))),),
            ),
            NewComponent(
                code="calls",
                name="Calls",
                timing=Timing.IN_ARREARS,
                prices=(("EUR", PerUnit(price=Decimal("0.001"))),),
            ),
        ),
        features=tuple(features),
    )


async def _copy_subscription(
    connection: asyncpg.Connection[asyncpg.Record], subscription_id: UUID, *, copies: int
) -> list[UUID]:
    """Copy the subscription with its account, items and access; the ids of the copies."""
    rows = [(number, new_id(), new_id()) for number in range(2, copies + 2)]
    async with connection.transaction():
        await connection.execute(
            "create temp table copy (number bigint, account_id uuid, subscription_id uuid)"
            " on commit drop"
        )
        await connection.copy_records_to_table("copy", records=rows)
        await connection.execute(
            "select set_config('benchmark.subscription', $1, true)", str(subscription_id)
        )
        await connection.execute(files(__package__).joinpath("portfolio.sql").read_text())
    return [subscription_id for _, _, subscription_id in rows]
