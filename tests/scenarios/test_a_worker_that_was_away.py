"""A worker was away for a quarter: what do its customers find when it is back?"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from tests.faults.books import check_books
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.scenarios.storytelling import cancel, invoices_of, told


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


async def test_a_worker_that_was_away(tenant, clock):
    clock.move_to(at(1, 10))
    async with tenant.tx() as tx:
        await a_plan(tx)  # 38.90 EUR at the start of each month
        await a_plan(tx, "afterwards", components=(in_arrears("hours", "31.00"),))
        patient, leaving, gone = [await an_account(tx, zone="UTC") for _ in range(3)]
        await a_subscription(tx, patient)
        team = (await a_subscription(tx, leaving)).subscription
        hours = (await a_subscription(tx, gone, "afterwards")).subscription

    # Nobody bills from here on. On 1 March one customer cancels for the end of its period, which
    # is 10 March; on 15 March another gives up the hours at once.
    clock.move_to(at(3, 1))
    await cancel(tenant, team, CancellationMode.PERIOD_END)
    clock.move_to(at(3, 15))
    await cancel(tenant, hours, CancellationMode.NOW)

    # On 12 April the worker is back.
    clock.move_to(at(4, 12))
    await renew_due_subscriptions(tenant.work())
    assert await renew_due_subscriptions(tenant.work()) == 0

    def billed(invoices) -> list:
        return [(i.period_start, i.period_end, i.subtotal_minor) for i in invoices]

    months = [at(1, 10), at(2, 10), at(3, 10), at(4, 10), at(5, 10)]
    assert billed(await invoices_of(tenant, patient)) == [
        (start, end, 3890) for start, end in pairwise(months)
    ]
    # January and February, of which the second came with the cancellation; nothing after 10 March.
    assert billed(await invoices_of(tenant, leaving)) == [
        (at(1, 10), at(2, 10), 3890),
        (at(2, 10), at(3, 10), 3890),
    ]
    # Two whole months, and 5 of the 31 days from 10 March: 31.00 x 5/31 = 5.00
    assert billed(await invoices_of(tenant, gone)) == [
        (at(1, 10), at(2, 10), 3100),
        (at(2, 10), at(3, 10), 3100),
        (at(3, 10), at(3, 15), 500),
    ]

    facts = await told(tenant)
    assert facts["subscription.canceled"] == 2
    assert facts["subscription.renewed"] == 3 + 1 + 2
    await check_books(tenant)
