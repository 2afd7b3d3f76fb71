"""Is usage recorded once, and counted in the window that it belongs to?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.subscriptions.model import Subscription
from billwright.features.usage.model import NewUsage, UsageWindow, Used
from billwright.features.usage.sql.reads import recorded_events, used_quantities
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import IntegrityViolation
from tests.conftest import NOON, Tenant
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.features.usage.recording import RecordUsage, record_usage

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


async def a_subscriber(tenant: Tenant, **account: Any) -> Subscription:
    async with tenant.tx() as tx:
        payer = await an_account(tx, **account)
        code = f"storage-{payer.number}"
        await a_plan(tx, code, components=(in_arrears("storage", "0.10"),))
        return (await a_subscription(tx, payer, code)).subscription


def used(event_id: str = "one", quantity: str = "1", **changes: Any) -> NewUsage:
    values: dict[str, Any] = {
        "source": "api",
        "event_id": event_id,
        "meter": "calls",
        "quantity": Decimal(quantity),
        "occurred_at": NOON,
    }
    return NewUsage(**{**values, **changes})


async def record(tenant: Tenant, subscription: Subscription, *events: NewUsage) -> int:
    async with tenant.tx() as tx:
        return await record_usage(tx, told_of(subscription, *events))


def told_of(subscription: Subscription, *events: NewUsage) -> RecordUsage:
    return RecordUsage(
        account_id=subscription.account_id, subscription_id=subscription.id, events=events
    )


async def refusal_of(tenant: Tenant, subscription: Subscription, *events: NewUsage) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await record(tenant, subscription, *events)
    return refused.value


async def window(tenant: Tenant, subscription: Subscription, **changes: Any) -> Used | None:
    """What a subscription used within two days, by what is known now."""
    cutoff = changes.pop("cutoff", NOON + DAY)
    values: dict[str, Any] = {
        "key": 7,
        "subscription_id": subscription.id,
        "meter": "calls",
        "start": NOON - DAY,
        "end": NOON + DAY,
    }
    async with tenant.tx() as tx:
        found = await used_quantities(tx, [UsageWindow(**{**values, **changes})], cutoff=cutoff)
    assert set(found) <= {7}
    return found.get(7)


async def test_an_event_that_is_told_again_counts_once(tenant):
    subscription = await a_subscriber(tenant)
    events = [used("one", "1.5"), used("two", "0.25"), used("two", "0.250000")]
    assert await record(tenant, subscription, *events) == 2
    assert await record(tenant, subscription, *events) == 0
    assert await record(tenant, subscription, used("three"), *reversed(events)) == 1
    found = await window(tenant, subscription)
    assert found is not None
    # 1.5 + 0.25 + 1
    assert (found.quantity, found.events) == (Decimal("2.75"), 3)


async def test_a_correction_is_another_event(tenant):
    subscription = await a_subscriber(tenant)
    await record(tenant, subscription, used("one", "10"))
    await record(tenant, subscription, used("one-mended", "-12"))
    found = await window(tenant, subscription)
    assert found is not None
    assert (found.quantity, found.events) == (Decimal(-2), 2)


@pytest.mark.parametrize(
    "changes",
    [{"quantity": "2"}, {"meter": "storage"}, {"occurred_at": NOON + MICROSECOND}],
)
async def test_the_same_id_with_other_values_is_refused_and_all_with_it(tenant, changes):
    subscription = await a_subscriber(tenant)
    await record(tenant, subscription, used("one"))
    refusal = await refusal_of(tenant, subscription, used("new"), used("one", **changes))
    assert (refusal.code, refusal.facts) == (
        "usage_event_differs",
        {"source": "api", "event_id": "one"},
    )
    found = await window(tenant, subscription)
    assert found is not None
    assert found.events == 1


async def test_an_id_belongs_to_its_source_and_to_one_subscription(tenant):
    mine, other = await a_subscriber(tenant), await a_subscriber(tenant)
    assert await record(tenant, mine, used("one")) == 1
    assert await record(tenant, other, used("one", source="batch")) == 1
    assert (await refusal_of(tenant, other, used("one"))).code == "usage_event_differs"
    twice = (used("both", "1"), used("both", "2"))
    assert (await refusal_of(tenant, other, *twice)).code == "usage_event_differs"


@pytest.mark.parametrize("quantity", ["100000000000000", "-1E+14", "0.0000001", "NaN", "Infinity"])
async def test_a_quantity_that_would_not_be_kept_is_refused(tenant, quantity):
    subscription = await a_subscriber(tenant)
    refusal = await refusal_of(tenant, subscription, used("fits"), used("not", quantity))
    assert refusal.code == "usage_quantity_invalid"
    assert refusal.problems[0].pointer == "/events/1/quantity"
    assert await window(tenant, subscription) is None


async def test_a_thousand_events_are_recorded_at_a_time(tenant):
    subscription = await a_subscriber(tenant)
    largest = "99999999999999.999999"
    events = [used(str(number), largest) for number in range(1001)]
    assert (await refusal_of(tenant, subscription, *events)).code == "usage_events_too_many"
    assert await record(tenant, subscription, *events[:1000]) == 1000
    found = await window(tenant, subscription)
    assert found is not None
    assert (found.quantity, found.events) == (1000 * Decimal(largest), 1000)
    assert await record(tenant, subscription) == 0


async def test_two_who_tell_the_same_at_once_record_it_once(tenant):
    """On one account they run one after the other; on two the unique key decides."""
    mine, other = await a_subscriber(tenant), await a_subscriber(tenant)
    ids = [str(number) for number in range(200)]
    events = [used(event_id) for event_id in ids]
    counts = await asyncio.gather(
        *(record(tenant, mine, *turned) for turned in (events, events[::-1], events[100:]))
    )
    assert sum(counts) == 200

    more = [used(f"more-{event_id}") for event_id in ids]
    outcomes = await asyncio.gather(
        record(tenant, mine, *more), record(tenant, other, *more[::-1]), return_exceptions=True
    )
    assert sorted(map(type, outcomes), key=str) == sorted([int, Refusal], key=str)
    assert 200 in outcomes


async def test_a_repetition_waits_for_a_transaction_that_is_under_way(tenant):
    """It neither records the event again nor misses what the other one has written."""
    mine, other = await a_subscriber(tenant), await a_subscriber(tenant)
    async with tenant.tx() as tx:
        assert await record_usage(tx, told_of(mine, used("one"))) == 1
        late = asyncio.create_task(record(tenant, other, used("one")))
        await asyncio.sleep(0.2)
        assert not late.done()
    with pytest.raises(Refusal, match="one of api was recorded with other values"):
        await late


async def test_a_window_is_half_open(tenant):
    subscription = await a_subscriber(tenant)
    start, end = NOON - DAY, NOON + DAY
    edges = [start - MICROSECOND, start, end - MICROSECOND, end]
    quantities = ["1", "10", "100", "1000"]
    await record(
        tenant,
        subscription,
        *(
            used(quantity, quantity, occurred_at=at)
            for quantity, at in zip(quantities, edges, strict=True)
        ),
        used("other meter", "5000", meter="storage"),
    )
    found = await window(tenant, subscription)
    assert found is not None
    assert (found.quantity, found.events) == (Decimal(110), 2)
    following = await window(tenant, subscription, start=end, end=end + DAY)
    assert following is not None
    assert following.quantity == Decimal(1000)
    assert await window(tenant, subscription, start=end, end=end) is None


async def test_what_came_after_the_cutoff_does_not_count(tenant, clock):
    subscription = await a_subscriber(tenant)
    await record(tenant, subscription, used("in time", "1"))
    in_time = await window(tenant, subscription)
    clock.move_to(NOON + DAY)
    await record(tenant, subscription, used("late", "10"))
    assert await window(tenant, subscription, cutoff=NOON) == in_time
    assert await window(tenant, subscription, cutoff=NOON - MICROSECOND) is None
    both = await window(tenant, subscription, cutoff=NOON + DAY)
    assert both is not None
    assert both.quantity == Decimal(11)


async def test_many_windows_are_one_question(tenant):
    mine, other = await a_subscriber(tenant), await a_subscriber(tenant)
    await record(tenant, mine, used("a", "1"), used("b", "2", meter="storage"))
    await record(tenant, other, used("c", "4"))
    asked = [
        UsageWindow(
            key=key, subscription_id=of, meter=meter, start=NOON, end=NOON + timedelta(hours=hours)
        )
        for key, of, meter, hours in [
            (1, mine.id, "calls", 1),
            (2, mine.id, "storage", 1),
            (3, other.id, "calls", 1),
            (4, other.id, "storage", 1),
            (5, mine.id, "calls", 2),
        ]
    ]
    async with tenant.tx() as tx:
        found = await used_quantities(tx, asked, cutoff=NOON)
        assert await used_quantities(tx, [], cutoff=NOON) == {}
    assert {key: one.quantity for key, one in found.items()} == {1: 1, 2: 2, 3: 4, 5: 1}
    assert found[1] == found[5]


async def test_the_digest_names_the_very_events(tenant):
    """It can be made again by hand, and another event, even one of nothing, is another digest."""
    subscription = await a_subscriber(tenant)
    # Upper case comes before lower case in the order of bytes, and a quotation mark is escaped.
    await record(tenant, subscription, used("b", "2"), used('B"', "0.5"), used("b", source="Api"))
    first = await window(tenant, subscription)
    assert first is not None
    by_hand = '["Api", "b", 1.000000]["api", "B\\"", 0.500000]["api", "b", 2.000000]'
    assert first.digest == sha256(by_hand.encode()).hexdigest()
    await record(tenant, subscription, used("nothing", "0"))
    second = await window(tenant, subscription)
    assert second is not None
    assert (second.quantity, second.events) == (first.quantity, 4)
    assert second.digest != first.digest


async def test_an_account_on_a_test_clock_receives_at_the_time_of_its_clock(tenant):
    later = NOON + 400 * DAY
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="later", now=later)).id
    subscription = await a_subscriber(tenant, test_clock_id=clock_id)
    await record(tenant, subscription, used("one", occurred_at=later))
    asked = {"start": later, "end": later + DAY}
    assert await window(tenant, subscription, **asked, cutoff=later - MICROSECOND) is None
    assert await window(tenant, subscription, **asked, cutoff=later) is not None


async def test_another_tenants_usage_is_invisible(tenant, other_tenant):
    subscription = await a_subscriber(tenant)
    await record(tenant, subscription, used("one"))
    assert await window(other_tenant, subscription) is None
    async with other_tenant.tx() as tx:
        assert await recorded_events(tx, [("api", "one")]) == {}
    assert (await refusal_of(other_tenant, subscription, used("two"))).code == "account_unknown"
    theirs = await a_subscriber(other_tenant)
    assert await record(other_tenant, theirs, used("one")) == 1


async def test_a_subscription_of_another_account_takes_no_usage(tenant):
    mine, other = await a_subscriber(tenant), await a_subscriber(tenant)
    command = RecordUsage(account_id=other.account_id, subscription_id=mine.id, events=(used(),))
    with pytest.raises(IntegrityViolation):
        async with tenant.tx() as tx:
            await record_usage(tx, command)
