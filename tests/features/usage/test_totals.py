"""Do the running totals of usage show what was told, and say when their sums do not?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.sql.reads_usage import usage_places
from billwright.features.usage.model import EventName, NewUsage, TotalKey, UsageTotal
from billwright.features.usage.operations.correct_usage import (
    Correction,
    correct_usage,
    corrected_by,
)
from billwright.features.usage.operations.hold_totals import hold_totals
from billwright.features.usage.operations.record_usage import record_events
from billwright.features.usage.sql.reads_totals import usage_totals
from tests.conftest import NOON, Tenant
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.waiting import until_waiting

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
TYPES = ("calls", "storage", "tokens")


async def subscriptions_of_one(tenant: Tenant, count: int) -> list[Subscription]:
    async with tenant.tx() as tx:
        payer = await an_account(tx)
        await a_plan(tx, components=(in_arrears("storage", "0.10"),))
        return [(await a_subscription(tx, payer)).subscription for _ in range(count)]


def used(event_id: str, quantity: str = "1", **changes: Any) -> NewUsage:
    values: dict[str, Any] = {"source": "api", "meter": "calls", "occurred_at": NOON}
    return NewUsage(**{**values, "event_id": event_id, "quantity": Decimal(quantity), **changes})


async def tell(tenant: Tenant, told: Sequence[tuple[Subscription, NewUsage]]) -> int:
    async with tenant.tx() as tx:
        places = await usage_places(tx, {subscription.id for subscription, _ in told})
        return len(await record_events(tx, [(places[of.id], event) for of, event in told]))


async def correct(tenant: Tenant, event_id: str, **changes: Any) -> int:
    one = Correction(
        name=EventName("api", f"{event_id}-mended"), corrects=EventName("api", event_id), **changes
    )
    async with tenant.tx() as tx:
        corrected = await corrected_by(tx, [one])
        places = await usage_places(tx, {each.subscription_id for each in corrected.values()})
        return len(await correct_usage(tx, [one], corrected=corrected, places=places))


async def total(tenant: Tenant, of: Subscription, event_type: str = "calls") -> UsageTotal:
    key = TotalKey(of.account_id, event_type, of.id)
    async with tenant.tx() as tx:
        return (await usage_totals(tx, [key]))[key]


def sums(found: UsageTotal) -> tuple[Decimal, int]:
    return found.quantity, found.events


async def test_totals_are_the_events_however_many_tell_at_once(tenant: Tenant):
    """Twenty at once tell overlapping batches of the same subscriptions, each in an order of its own,
    with repetitions: what is stored was added once, and nobody waits in a circle, which would be
    refused.
    """
    random = Random(20260115)
    subscriptions = await subscriptions_of_one(tenant, 5)
    known = [
        (
            subscriptions[number % 5],
            used(f"{number}", f"{number % 7}.25", meter=TYPES[number % 3]),
        )
        for number in range(300)
    ]
    batches = [
        random.sample(part := [*known[first : first + 60], *known[first : first + 5]], len(part))
        for first in range(0, 240, 12)
    ]
    new = await asyncio.gather(*(tell(tenant, batch) for batch in batches))
    assert sum(new) == 288  # the batches reach from 0 to 228 + 60
    async with tenant.tx() as tx:
        events = await tx.fetch(
            """select subscription_id, meter, sum(quantity), count(*) from usage_event
               group by 1, 2 order by 1, 2"""
        )
        totals = await tx.fetch(
            "select subscription_id, event_type, quantity, events from usage_total order by 1, 2"
        )
    assert list(map(tuple, totals)) == list(map(tuple, events))
    # 5 subscriptions and 3 types, 288 events: all of 15 pairs.
    assert (len(totals), sum(row["events"] for row in totals)) == (15, 288)


async def test_an_account_is_the_sum_of_its_subscriptions(tenant: Tenant, other_tenant: Tenant):
    one, two = await subscriptions_of_one(tenant, 2)
    await tell(tenant, [(one, used("a", "1.5")), (two, used("b", "2")), (two, used("c", "4"))])
    await tell(tenant, [(two, used("d", "8", meter="storage"))])
    keys = [
        TotalKey(one.account_id, "calls"),
        TotalKey(one.account_id, "calls", two.id),
        TotalKey(one.account_id, "tokens"),
    ]
    async with tenant.tx() as tx:
        found = await usage_totals(tx, keys)
    assert [sums(found[key]) for key in keys] == [
        (Decimal("7.5"), 3),
        (Decimal(6), 2),
        (Decimal(0), 0),
    ]
    async with other_tenant.tx() as tx:
        hidden = await hold_totals(tx, dict.fromkeys(keys, NOON + DAY))
    assert {sums(each) for each in hidden.values()} == {(Decimal(0), 0)}
    # Nor has the stranger moved their frontier: this event is late for it, and for nobody else.
    before = await total(tenant, two)
    await tell(tenant, [(two, used("e"))])
    assert (await total(tenant, two)).revision == before.revision


@pytest.mark.parametrize(
    ("occurred_at", "disturbs"),
    [
        (NOON - DAY - MICROSECOND, True),  # of the time before what is counted
        (NOON - DAY, False),
        (NOON, False),
        (NOON + MICROSECOND, True),  # of the future
    ],
)
async def test_whoever_counts_is_told_of_what_the_sums_do_not_show(
    tenant: Tenant, occurred_at, disturbs
):
    (of,) = await subscriptions_of_one(tenant, 1)
    await tell(tenant, [(of, used("early", "5", occurred_at=NOON - 2 * DAY))])
    key = TotalKey(of.account_id, "calls")
    async with tenant.tx() as tx:
        held = (await hold_totals(tx, {key: NOON - DAY}))[key]
    # Beside one that disturbs nothing, so that each is looked at.
    await tell(tenant, [(of, used("now")), (of, used("one", "3", occurred_at=occurred_at))])
    after = await total(tenant, of)
    assert sums(after) == (held.quantity + 4, held.events + 2)
    assert (after.revision != held.revision) is disturbs
    # Told again, it is nothing new.
    await tell(tenant, [(of, used("one", "3", occurred_at=occurred_at))])
    assert await total(tenant, of) == after


async def test_a_frontier_only_moves_on(tenant: Tenant):
    """Who counts a time that began earlier does not undo what was noted for who counts a later one."""
    (of,) = await subscriptions_of_one(tenant, 1)
    await tell(tenant, [(of, used("early", occurred_at=NOON - 9 * DAY))])
    key = TotalKey(of.account_id, "calls", of.id)
    for since in (NOON - DAY, NOON - 5 * DAY):
        async with tenant.tx() as tx:
            held = (await hold_totals(tx, {key: since, key._replace(subscription_id=None): since}))[
                key
            ]
    await tell(tenant, [(of, used("between", occurred_at=NOON - 2 * DAY))])
    assert (await total(tenant, of)).revision == held.revision + 1


async def test_the_first_event_of_a_subscription_is_told_of(tenant: Tenant):
    """There was no row to hold, so that nothing else could say that it may be of any time."""
    one, two = await subscriptions_of_one(tenant, 2)
    await tell(tenant, [(one, used("a"))])
    key = TotalKey(one.account_id, "calls")
    async with tenant.tx() as tx:
        held = (await hold_totals(tx, {key: NOON}))[key]
    await tell(tenant, [(two, used("b"))])
    async with tenant.tx() as tx:
        after = (await usage_totals(tx, [key]))[key]
    assert (sums(after), after.revision) == ((Decimal(2), 2), held.revision + 1)


async def test_a_correction_is_told_of_at_the_type_that_it_leaves_and_at_its_own(tenant: Tenant):
    (of,) = await subscriptions_of_one(tenant, 1)
    await tell(
        tenant, [(of, used(name, "5", meter=kind)) for name, kind in zip("abc", TYPES, strict=True)]
    )
    story = [[await total(tenant, of, kind) for kind in TYPES]]
    for event_id, changes in [
        ("a", {}),  # taken away
        ("b", {"quantity": Decimal(2)}),
        ("c", {"quantity": Decimal(3), "meter": "calls"}),
        ("c", {"quantity": Decimal(3), "meter": "calls"}),  # told again
    ]:
        await correct(tenant, event_id, **changes)
        story.append([await total(tenant, of, kind) for kind in TYPES])
    assert [
        [now.revision - before.revision for before, now in zip(*pair, strict=True)]
        for pair in pairwise(story)
    ] == [[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]]
    # The sums are of what was told, those of corrections too: 5 + 0 + 3, 5 + 2, 5.
    assert [sums(each) for each in story[-1]] == [
        (Decimal(8), 3),
        (Decimal(7), 2),
        (Decimal(5), 1),
    ]


async def test_a_correction_to_another_type_does_not_wait_in_a_circle(tenant: Tenant):
    """It touches two totals. Whoever tells of both types at once takes them in one order, and so must
    the correction, from `tokens` to `calls` or back.
    """
    (of,) = await subscriptions_of_one(tenant, 1)
    await tell(tenant, [(of, used("a")), (of, used("b", meter="tokens"))])
    async with tenant.tx() as tx:
        places = await usage_places(tx, [of.id])
        await record_events(tx, [(places[of.id], used("first"))])  # holds the total of `calls`
        both = [(of, used("c")), (of, used("d", meter="tokens"))]
        telling = asyncio.create_task(tell(tenant, both))
        await until_waiting(tx)
        correcting = asyncio.create_task(correct(tenant, "a", quantity=Decimal(1), meter="tokens"))
        await until_waiting(tx, transactions=2)
    assert await asyncio.gather(telling, correcting) == [2, 1]


async def test_what_is_told_while_it_is_counted_waits_and_comes_on_top(tenant: Tenant):
    (of,) = await subscriptions_of_one(tenant, 1)
    await tell(tenant, [(of, used("a"))])
    key = TotalKey(of.account_id, "calls")
    async with tenant.tx() as tx:
        held = (await hold_totals(tx, {key: NOON}))[key]
        telling = asyncio.create_task(tell(tenant, [(of, used("b", occurred_at=NOON - DAY))]))
        await until_waiting(tx)
        events = await tx.fetch_value("select count(*) from usage_event")
    assert events == held.events == 1
    await telling
    after = await total(tenant, of)
    # It began before the frontier was moved, and is late for it all the same.
    assert (after.events, after.revision) == (2, held.revision + 1)
