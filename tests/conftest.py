"""What does a test stand on? A real PostgreSQL, a fresh copy of the migrated schema, one tenant."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

import billwright.features
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId, new_id
from billwright.providers.payment import discover as payment_providers
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry, Work, discover
from billwright.runtime.secrets import SecretBox
from tests.only_commands import migrate_and_watch
from tests.postgres import ServerInfo, postgres_server

__all__ = ["postgres_server"]

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BOX = SecretBox(bytes(range(32)))


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Every reaction, sweep and job that the features declare."""
    return discover(billwright.features)


@pytest.fixture(scope="session")
def migrated_template(postgres_server: ServerInfo) -> str:
    """A migrated database to copy."""
    return postgres_server.template("migrated", migrate_and_watch)


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    """A name for each database of this process's server."""
    return (f"test_{number}" for number in itertools.count(1))


@pytest.fixture
def migrated_database(
    postgres_server: ServerInfo, migrated_template: str, database_names: Iterator[str]
) -> Iterator[str]:
    """The owner's address of a fresh, migrated, empty database."""
    name = next(database_names)
    yield postgres_server.fresh_database(name, template=migrated_template)
    postgres_server.drop_database(name)


@pytest.fixture
def clock() -> FixedClock:
    """The test's time; it moves only when the test moves it."""
    return FixedClock(NOON)


@pytest_asyncio.fixture
async def database(
    migrated_database: str, clock: FixedClock, registry: Registry
) -> AsyncIterator[Database]:
    """The product's own access to a fresh database, with the clock of the test."""
    database = await Database.connect(
        migrated_database, outbox=QueueOutbox(registry), size=5, clock=clock
    )
    try:
        yield database
    finally:
        await asyncio.wait_for(database.close(), timeout=10)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant to test with, and the ways to work for it."""

    id: TenantId
    database: Database

    @asynccontextmanager
    async def tx(self, now: datetime | None = None) -> AsyncIterator[Tx]:
        async with self.database.tx(
            self.id, actor=system_actor("test"), cause="test", now=now
        ) as tx:
            yield tx

    def work(self, name: str = "test", *, as_of: datetime | None = None) -> Work:
        return Work(
            name=name,
            database=self.database,
            tenant_id=self.id,
            as_of=as_of or self.database.clock.now(),
            providers={PaymentProviders: payment_providers(), SecretBox: BOX},
        )


TenantMaker = Callable[[str], AbstractAsyncContextManager[Tenant]]


async def make_tenant(database: Database, code: str) -> Tenant:
    """A tenant with a German seller: EUR, 19 % and 7 % tax, 14 days to pay."""
    tenant = Tenant(TenantId(new_id()), database)
    async with tenant.tx() as tx:
        await create_tenant(
            tx,
            CreateTenant(
                code=code,
                name=f"Tenant {code}",
                seller=Seller(
                    id=new_id(),
                    party=SellerParty(
                        name="Northlight Software GmbH",
                        address=Address(
                            line1="Hauptstraße 1", postal_code="10115", city="Berlin", country="DE"
                        ),
                        tax_id="DE123456788",
                        email="billing@northlight.example",
                    ),
                    currency="EUR",
                    zone="Europe/Berlin",
                    tax_rates={"standard": Decimal("0.19"), "reduced": Decimal("0.07")},
                ),
            ),
        )
    return tenant


@pytest_asyncio.fixture
async def tenant(database: Database) -> Tenant:
    """The tenant that a test works for."""
    return await make_tenant(database, "default")


@pytest_asyncio.fixture
async def other_tenant(database: Database) -> Tenant:
    """A second tenant, whose rows must stay invisible."""
    return await make_tenant(database, "other")
