"""A seller whose fiscal year begins in April bills customers around the world at the year's turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.faults.books import check_books
from tests.features.billing import a_plan, a_subscription, an_account
from tests.scenarios.storytelling import invoices_of, live_until


async def test_a_fiscal_year_that_begins_in_april(tenant, clock):
    async with tenant.tx() as tx:
        await tx.execute("update seller set fiscal_year_start_month = 4")

    # Two customers subscribe within an hour of midnight in Berlin, 31 January to 1 February. Each has
    # its own date; the document has the seller's.
    clock.move_to(datetime(2026, 1, 31, 22, 30, tzinfo=UTC))
    async with tenant.tx() as tx:
        await a_plan(tx)
        early = await an_account(tx, zone="Pacific/Auckland")  # 1 February, 11:30
        await a_subscription(tx, early)
    clock.move_to(clock.now() + timedelta(hours=1))
    async with tenant.tx() as tx:
        late = await an_account(tx, zone="America/Los_Angeles")  # 31 January, 15:30
        await a_subscription(tx, late)

    clock.move_to(datetime(2026, 2, 1, 10, 45, tzinfo=UTC))
    await live_until(
        tenant, clock, datetime(2026, 5, 2, 10, 45, tzinfo=UTC), every=timedelta(hours=12)
    )

    # Auckland, the 1st at 11:30: 22:30 UTC, still the day before in Berlin, until Berlin's clocks go
    # forward on 29 March; from 5 April 23:30 UTC.
    assert [i.issued_on.isoformat() for i in await invoices_of(tenant, early)] == [
        "2026-01-31",
        "2026-02-28",
        "2026-04-01",
        "2026-05-01",
    ]
    # Los Angeles, the month's last day at 15:30: 23:30 UTC, in summer 22:30; always the next in Berlin.
    assert [i.issued_on.isoformat() for i in await invoices_of(tenant, late)] == [
        "2026-02-01",
        "2026-03-01",
        "2026-04-01",
        "2026-05-01",
    ]
    # 31 March in UTC is 1 April in Berlin, where the new year's first number is given.
    assert sorted(invoice.number for invoice in await invoices_of(tenant)) == [
        *(f"INV-2025-{sequence:05d}" for sequence in range(1, 5)),
        *(f"INV-2026-{sequence:05d}" for sequence in range(1, 5)),
    ]
    assert {i.number[:8] for i in await invoices_of(tenant) if i.issued_on.month < 4} == {
        "INV-2025"
    }
    await check_books(tenant)
