"""Does the database count what one would count by hand, in whatever order it was told?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from billwright.features.subscriptions.model import Subscription
from billwright.features.usage.errors import meter_definition_unfit
from billwright.features.usage.model import (
    Aggregation,
    EventName,
    MeterDefinition,
    NewUsage,
    UsagePlace,
    UsageWindow,
    Used,
    WholeUnits,
)
from billwright.features.usage.operations.correct_usage import (
    Correction,
    correct_usage,
    corrected_by,
)
from billwright.features.usage.operations.create_meter import CreateMeter, create_meter
from billwright.features.usage.sql.reads import used_quantities
from billwright.kernel.quick import replaced
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON, Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.usage.counting import by_hand, counting
from tests.features.usage.recording import RecordUsage, record_usage

HOUR = timedelta(hours=1)
START, END = NOON, NOON + 10 * HOUR
PERIOD = 30 * HOUR  # the window is a third of it
CARRYING = {"sum", "max", "min", "latest", "weighted_sum"}


async def a_subscriber(tenant: Tenant) -> Subscription:
    async with tenant.tx() as tx:
        await a_plan(tx)
        return (await a_subscription(tx, await an_account(tx))).subscription


async def tell(tenant: Tenant, subscription: Subscription, events: Sequence[NewUsage]) -> None:
    async with tenant.tx() as tx:
        await record_usage(
            tx,
            RecordUsage(
                account_id=subscription.account_id,
                subscription_id=subscription.id,
                events=tuple(events),
            ),
        )


async def correct(tenant: Tenant, subscription: Subscription, corrections: Sequence[Correction]):
    place = UsagePlace(
        account_id=subscription.account_id, subscription_id=subscription.id, now=NOON
    )
    async with tenant.tx() as tx:
        corrected = await corrected_by(tx, corrections)
        return await correct_usage(
            tx, corrections, corrected=corrected, places={subscription.id: place}
        )


async def used_of(tenant: Tenant, subscription: Subscription, *meters: str) -> dict[str, Used]:
    windows = [
        UsageWindow(
            key=key,
            subscription_id=subscription.id,
            meter=meter,
            start=START,
            end=END,
            period=PERIOD,
        )
        for key, meter in enumerate(meters)
    ]
    async with tenant.tx() as tx:
        found = await used_quantities(tx, windows, cutoff=None)
    return {meters[key]: used for key, used in found.items()}


def some_definition(random: Random, event_type: str) -> MeterDefinition:
    aggregation = random.choice(list(Aggregation))
    by = {Aggregation.COUNT: None, Aggregation.UNIQUE_COUNT: random.choice(["region", "amount"])}
    return MeterDefinition(
        event_type=event_type,
        aggregation=aggregation,
        property=by.get(aggregation, random.choice([None, "amount"])),
        filters=random.choice([{}, {}, {"region": ("eu", "true", "7")}]),
        group_by=random.choice([(), (), ("region",), ("region", "model")]),
        rounding=random.choice([None, None, *WholeUnits]),
        carries_over=aggregation in CARRYING and random.random() < 0.5,
    )


def some_events(random: Random, event_type: str) -> list[NewUsage]:
    """Few instants, so that some events share one; before, in and after the window."""
    events = []
    for number in range(random.randrange(12)):
        properties: dict[str, Any] = {}
        if random.random() < 0.8:
            properties["region"] = random.choice(["eu", "us", True, 7])
        if random.random() < 0.8:
            properties["amount"] = random.choice(
                ["0.1", "-2.75", "1000000.123456789012", 3, 0, "three", False, "1e3"]
            )
        if random.random() < 0.5:
            properties["model"] = random.choice(["a", "b"])
        events.append(
            NewUsage(
                source=random.choice(["Api", "api"]),
                event_id=f"{event_type}-{number}",
                meter=event_type,
                quantity=Decimal(random.randrange(-300, 900)) / 100,
                occurred_at=START + timedelta(minutes=random.randrange(-300, 900, 50)),
                properties=properties or None,
            )
        )
    return events


def some_corrections(random: Random, events: list[NewUsage]) -> list[Correction]:
    """Of some events, and of some that took a place in turn."""
    corrections: list[Correction] = []
    names = [EventName(one.source, one.event_id) for one in events]
    for name in names:
        if random.random() < 0.7:
            continue
        mended = EventName("mender", f"mend-{name.event_id}")
        replaces = random.random() < 0.6
        corrections.append(
            Correction(
                name=mended,
                corrects=name,
                quantity=Decimal("4.5") if replaces else None,
                occurred_at=START + random.randrange(-2, 12) * HOUR if replaces else None,
                properties={"amount": 2, "region": "eu"} if replaces else None,
            )
        )
        if replaces:
            names.append(mended)
    return corrections


def as_events(corrections: Sequence[Correction], events: Sequence[NewUsage]) -> list[NewUsage]:
    known = {EventName(one.source, one.event_id): one for one in events}
    for one in corrections:
        before = known[one.corrects]
        known[one.name] = NewUsage(
            source=one.name.source,
            event_id=one.name.event_id,
            meter=before.meter,
            quantity=one.quantity,
            occurred_at=one.occurred_at or before.occurred_at,
            properties=one.properties,
            corrects=one.corrects,
        )
    return list(known.values())


@pytest.mark.parametrize("seed", range(4))
async def test_it_counts_what_one_counts_by_hand(tenant, seed):
    random = Random(seed)
    subscription = await a_subscriber(tenant)
    wanted: dict[str, Decimal | None] = {}
    everything: list[NewUsage] = []
    corrections: list[list[Correction]] = []
    async with tenant.tx() as tx:
        for number in range(60):
            code = f"meter-{number}"
            definition = some_definition(random, f"type-{number}")
            events = some_events(random, definition.event_type)
            await create_meter(tx, CreateMeter(code=code, name=code, definition=definition))
            own = some_corrections(random, events)
            everything += events
            corrections.append(own)
            wanted[code] = by_hand(
                as_events(own, events), definition, start=START, end=END, period=PERIOD
            )
    random.shuffle(everything)
    for first in range(0, len(everything), 97):
        await tell(tenant, subscription, everything[first : first + 97])
    for depth in range(12):  # what takes a place is corrected after it has come
        await correct(tenant, subscription, [own[depth] for own in corrections if depth < len(own)])

    found = await used_of(tenant, subscription, *wanted)
    assert {code: used.quantity for code, used in found.items()} == {
        code: quantity for code, quantity in wanted.items() if quantity is not None
    }
    assert len(found) > 20


async def test_the_order_of_arrival_does_not_matter_and_the_digest_tells_sets_apart(tenant):
    random = Random(7)
    events = [
        NewUsage(
            source="api",
            event_id=str(number),
            meter="seats",
            quantity=Decimal(number),
            occurred_at=START + number % 3 * HOUR,
        )
        for number in range(9)
    ]
    definition = MeterDefinition(event_type="seats", aggregation=Aggregation.LATEST)
    async with tenant.tx() as tx:
        await create_meter(tx, CreateMeter(code="seats", name="Seats", definition=definition))
    subscribers = [await a_subscriber_of(tenant, number) for number in range(3)]
    for number, subscription in enumerate(subscribers):
        own = [
            NewUsage(
                source=f"api-{number}",
                event_id=one.event_id,
                meter=one.meter,
                quantity=one.quantity,
                occurred_at=one.occurred_at,
            )
            for one in events
        ]
        random.shuffle(own)
        for one in own:
            await tell(tenant, subscription, [one])
    found = [await used_of(tenant, one, "seats") for one in subscribers]
    # The last instant has events 2, 5 and 8; of these the id that sorts last counts.
    assert [one["seats"].quantity for one in found] == [8, 8, 8]
    assert len({one["seats"].digest for one in found}) == 3  # the sources differ

    before = found[0]["seats"].digest
    await correct(
        tenant,
        subscribers[0],
        [Correction(name=EventName("api-0", "gone"), corrects=EventName("api-0", "0"))],
    )
    after = (await used_of(tenant, subscribers[0], "seats"))["seats"]
    assert (after.quantity, after.events) == (8, 8)
    assert after.digest != before


async def a_subscriber_of(tenant: Tenant, number: int) -> Subscription:
    async with tenant.tx() as tx:
        code = f"plan-{number}"
        await a_plan(tx, code)
        return (await a_subscription(tx, await an_account(tx), code)).subscription


def event(event_id: str, at: int, quantity: str, **changes: Any) -> NewUsage:
    values: dict[str, Any] = {
        "source": "api",
        "event_id": event_id,
        "meter": "storage",
        "quantity": Decimal(quantity),
        "occurred_at": START + at * HOUR,
    }
    return NewUsage(**{**values, **changes})


async def test_a_value_is_held_over_time_and_carried_over(tenant):
    # 10 GB are held since before the window, 40 from its fourth hour on: 3 h x 10 + 7 h x 40 = 310 in
    # a period of 30 h: 10.333333. Without what was before: 280 / 30 = 9.333333.
    subscription = await a_subscriber(tenant)
    await tell(
        tenant,
        subscription,
        [event("a", -5, "99"), event("b", -2, "10"), event("c", 3, "40"), event("d", 10, "1")],
    )
    held = MeterDefinition(
        event_type="storage", aggregation=Aggregation.WEIGHTED_SUM, carries_over=True
    )
    fresh = MeterDefinition(event_type="storage", aggregation=Aggregation.WEIGHTED_SUM)
    async with tenant.tx() as tx:
        await create_meter(tx, CreateMeter(code="held", name="Held", definition=held))
        await create_meter(tx, CreateMeter(code="fresh", name="Fresh", definition=fresh))
    found = await used_of(tenant, subscription, "held", "fresh", "storage")
    assert found["held"].quantity == Decimal("10.333333")
    assert found["held"].events == 2
    assert found["fresh"].quantity == Decimal("9.333333")
    # Nobody has defined a meter of that code: its events' quantities are added up.
    assert (found["storage"].quantity, found["storage"].meter_version) == (40, 0)


async def test_corrections_take_effect_once_and_in_turn(tenant):
    subscription = await a_subscriber(tenant)
    await tell(tenant, subscription, [event("one", 1, "5"), event("two", 2, "7")])
    one, two = EventName("api", "one"), EventName("api", "two")
    mend = Correction(name=EventName("api", "mend"), corrects=one, quantity=Decimal(50))
    cancel = Correction(name=EventName("api", "no"), corrects=two)
    assert len(await correct(tenant, subscription, [mend, cancel])) == 2
    assert len(await correct(tenant, subscription, [mend, cancel])) == 0  # told again
    found = await used_of(tenant, subscription, "storage")
    assert (found["storage"].quantity, found["storage"].events) == (50, 1)

    again = Correction(name=EventName("api", "again"), corrects=one)
    with pytest.raises(Refusal) as refused:
        await correct(tenant, subscription, [again])
    assert refused.value.code == "usage_event_corrected"
    final = Correction(name=EventName("api", "final"), corrects=cancel.name, quantity=Decimal(1))
    with pytest.raises(Refusal) as refused:
        await correct(tenant, subscription, [final])
    assert refused.value.code == "usage_cancellation_final"
    nothing = Correction(name=EventName("api", "nothing"), corrects=EventName("api", "unknown"))
    with pytest.raises(Refusal) as refused:
        await correct(tenant, subscription, [nothing])
    assert refused.value.code == "usage_event_unknown"

    await correct(
        tenant,
        subscription,
        [Correction(name=EventName("api", "gone"), corrects=mend.name)],
    )
    assert await used_of(tenant, subscription, "storage") == {}


async def test_another_tenants_events_cannot_be_corrected(tenant, other_tenant):
    subscription = await a_subscriber(tenant)
    await tell(tenant, subscription, [event("one", 1, "5")])
    correction = Correction(name=EventName("api", "no"), corrects=EventName("api", "one"))
    with pytest.raises(Refusal) as refused:
        await correct(other_tenant, subscription, [correction])
    assert refused.value.code == "usage_event_unknown"


async def test_one_and_true_are_two_values(tenant):
    subscription = await a_subscriber(tenant)
    await tell(tenant, subscription, [event("one", 1, "5", properties={"on": True})])
    with pytest.raises(Refusal) as refused:
        await tell(tenant, subscription, [event("one", 1, "5", properties={"on": 1})])
    assert refused.value.code == "usage_event_differs"


@pytest.mark.parametrize(
    ("member", "definition"),
    [
        ("property", {"aggregation": Aggregation.UNIQUE_COUNT}),
        ("property", {"aggregation": Aggregation.COUNT, "property": "amount"}),
        ("carries_over", {"aggregation": Aggregation.AVG, "carries_over": True}),
        ("group_by", {"group_by": ("region", "region")}),
    ],
)
async def test_a_definition_that_does_not_hold_together_is_refused(tenant, member, definition):
    command = CreateMeter(
        code="calls", name="Calls", definition=MeterDefinition(event_type="calls", **definition)
    )
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await create_meter(tx, command)
    assert refused.value.code == meter_definition_unfit.code
    assert refused.value.problems[0].pointer == f"/definition/{member}"


def test_by_hand_a_correction_counts_for_what_it_corrects():
    one = event("one", 1, "5")
    gone = replaced(event("gone", 1, "0"), quantity=None, corrects=EventName("api", "one"))
    assert counting([gone, one]) == []
