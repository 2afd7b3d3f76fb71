"""Does a billing run bill every period once, and only once?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from billwright.features.invoicing.sql.reads import lines_of, list_invoices
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.sql.reads import subscription_by_id
from tests.features.billing import a_plan, a_subscription, an_account


async def test_a_year_gives_twelve_renewals_that_tile(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = await a_subscription(tx, await an_account(tx), quantities={"seats": Decimal(3)})

    clock.move_to(datetime(2027, 1, 15, 12, 0, tzinfo=UTC))
    renewed = await renew_due_subscriptions(tenant.work())
    again = await renew_due_subscriptions(tenant.work())

    async with tenant.tx() as tx:
        invoices = (await list_invoices(tx, before=None, limit=100))[::-1]
        lines = [await lines_of(tx, invoice.id) for invoice in invoices]
        subscription = await subscription_by_id(tx, started.subscription.id)
    assert (renewed, again) == (12, 0)
    assert len(invoices) == 13
    # 29.00 + 3 x 9.90 = 58.70; 19 % of it = 11.153, so 11.15; total 69.85
    assert {(i.subtotal_minor, i.tax_minor, i.total_minor) for i in invoices} == {
        (5870, 1115, 6985)
    }
    assert [i.number for i in invoices] == ["INV-2026-00001"] + [
        f"INV-2027-{sequence:05d}" for sequence in range(1, 13)
    ]
    for earlier, later in pairwise(lines):
        assert {line.period_end for line in earlier} == {line.period_start for line in later}
    assert subscription.period.start == datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
