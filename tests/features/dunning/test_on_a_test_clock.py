"""Is a year of unpaid invoices on a test clock the year that would have been?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.accounts.sql.reads import test_clock_by_id as clock_by_id
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.runtime.db.json import from_json
from billwright.runtime.queue.registry import Registry
from tests.conftest import NOON, Tenant, make_tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.dunning.pursuing import Bank, Pursuit
from tests.features.payments.paying import DECLINED, SUCCEEDED, leave_card

ENDS = datetime(2027, 1, 15, 12, tzinfo=UTC)
TELLING = ("dunning.%", "invoice.%", "payment.%", "subscription.%")
IDS = ("invoice_id", "subscription_ids")


def answers() -> list[ProviderAnswer]:
    """Paid at the first, second, third … attempt, until one invoice is never paid."""
    return [answer for late in range(5) for answer in (*[DECLINED] * late, SUCCEEDED)]


async def a_customer(tenant: Tenant, clock: Any, **account: Any) -> Pursuit:
    async with tenant.tx() as tx:
        started = await a_subscription(tx, await an_account(tx, zone="Europe/Berlin", **account))
        invoice = await invoice_by_id(tx, started.billed.documents[0].id)
    await leave_card(tenant, invoice)
    return Pursuit(tenant, clock, invoice, Bank(*answers()))


async def advanced(tenant: Tenant, registry: Registry, pursuit: Pursuit, *, clock_id: Any) -> None:
    async with tenant.tx() as tx:
        await request_test_clock_advance(tx, test_clock_id=clock_id, target=ENDS)
    work = replace(pursuit.work, sweeps=registry.sweeps)
    await advance_test_clock(work, {"test_clock_id": str(clock_id)})
    async with tenant.tx() as tx:
        assert (await clock_by_id(tx, clock_id)).state == "ready"


async def story_of(tenant: Tenant) -> list[tuple[datetime, str, dict[str, Any]]]:
    """Everything that was told, without what names rows."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select type, occurred_at, data from event where type like any($1)
               order by occurred_at, type, data::text""",
            list(TELLING),
        )
    told = [(row["occurred_at"], row["type"], from_json(row["data"])) for row in rows]
    return sorted(
        (
            (at, kind, {name: value for name, value in data.items() if name not in IDS})
            for at, kind, data in told
        ),
        key=repr,
    )


async def test_one_call_is_the_year_that_was_lived(database, clock, registry):
    played, lived = await make_tenant(database, "played"), await make_tenant(database, "lived")
    for tenant in (played, lived):
        async with tenant.tx() as tx:
            await a_plan(tx)
    async with played.tx() as tx:
        clock_id = (await create_test_clock(tx, name="year", now=NOON)).id
    on_clock = await a_customer(played, clock, test_clock_id=clock_id)
    await advanced(played, registry, on_clock, clock_id=clock_id)

    really = await a_customer(lived, clock)
    await really.live_until(ENDS)

    story = await story_of(played)
    assert story == await story_of(lived)
    kinds = [kind for _, kind, _ in story]
    # Invoices that were paid at the 1st to 5th attempt, and one that never was.
    assert kinds.count("dunning.recovered") == 4
    assert kinds.count("dunning.exhausted") == kinds.count("subscription.canceled") == 1
    assert on_clock.bank.collected.__len__() == len(really.bank.collected) >= 1 + 2 + 3 + 4 + 5 + 5
