"""Is it told once in each window that a limit is reached, or nearly?"""

from __future__ import annotations

from datetime import timedelta

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.catalog.model import Reset, ResetKind
from billwright.features.entitlements.events import LimitNearlyReached, LimitReached
from billwright.features.entitlements.jobs import announce_reached_limits
from billwright.features.notifications.messages import MessageSender, MessageType, render_message
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.entitlements.pooling import Customer, a_customer, calls
from tests.features.notifications.requesting import requests_of, run_reactions

HOUR = timedelta(hours=1)


async def told(tenant):
    """The types of what has been said of limits, in order."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            "select type from event where tenant_id = $1 and type like 'entitlement.%' order by id",
            tx.tenant_id,
        )
    return [row["type"] for row in rows]


async def test_each_is_told_once_in_a_window(tenant, clock):
    customer = await a_customer(tenant, 10, reset=Reset(ResetKind.FIXED_WINDOW, window=HOUR))
    for used, expected in ((7, 0), (1, 1), (1, 0), (1, 1), (5, 0)):
        await customer.use(used)
        assert await announce_reached_limits(tenant.work()) == expected
        assert await announce_reached_limits(tenant.work()) == 0
    assert await told(tenant) == [LimitNearlyReached.type, LimitReached.type]
    clock.move_to(NOON + 2 * HOUR)
    await customer.use(10)
    # Who uses everything at once is not told that it is nearly so.
    assert await announce_reached_limits(tenant.work()) == 1
    assert (await told(tenant))[2:] == [LimitReached.type]


async def test_nobody_is_told_of_what_has_no_limit_or_is_not_used(tenant):
    customer = await a_customer(tenant, None)
    await customer.use(1_000_000)
    await a_customer(tenant, 0, plan="none")
    assert await announce_reached_limits(tenant.work()) == 0


async def test_an_account_on_a_test_clock_is_told_in_its_own_time(tenant):
    later = NOON + 24 * HOUR
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="spring", now=later)).id
        await a_plan(tx, "calls", features=(calls(10),))
    async with tenant.tx() as tx:
        account = await an_account(tx, test_clock_id=clock_id)
        subscription = (await a_subscription(tx, account, "calls")).subscription
    customer = Customer(tenant, account.id, subscription.id)
    other = await a_customer(tenant, 10, plan="other")
    await customer.use(10, at=later)
    await other.use(10)
    assert await announce_reached_limits(tenant.work()) == 2
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select account_id, occurred_at from event
               where tenant_id = $1 and type = 'entitlement.limit_reached'""",
            tx.tenant_id,
        )
    assert {row["account_id"]: row["occurred_at"] for row in rows} == {
        account.id: later,
        other.account_id: NOON,
    }


async def test_the_billing_contact_is_told_when_nothing_is_left(tenant, database, registry):
    async with tenant.tx() as tx:
        await a_plan(tx, "calls", features=(calls(1500),))
        account = await an_account(tx, email="books@riverbank.example", locale="de")
        subscription = (await a_subscription(tx, account, "calls")).subscription
    await Customer(tenant, account.id, subscription.id).use(1500)
    await announce_reached_limits(tenant.work())
    await run_reactions(database, registry)
    (request,) = [
        one for one in await requests_of(tenant) if one.type == MessageType.LIMIT_REACHED.value
    ]
    assert request.data == {
        "account_name": "Riverbank Books",
        "feature_name": "Calls",
        "limit_label": "1.500",
        "resets_on_label": "15. Februar 2026",
    }
    for locale in ("en", "de"):
        message = render_message(
            MessageType.LIMIT_REACHED,
            locale=locale,
            data=request.data,
            sender=MessageSender("Northlight"),
        )
        assert "Calls" in message.subject
        assert "1.500" in message.text
        assert "None" not in message.text
