"""Is usage owed that became known after its period was billed, once and at the price of its time?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.catalog.model import ComponentKind, PlanTerms
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.invoicing.operations.explain_invoice import explain_invoice
from billwright.features.subscriptions.jobs import adjust_late_usage
from billwright.features.subscriptions.model import CancellationMode, UsageSubject
from billwright.features.subscriptions.operations.find_usage_places import find_usage_places
from billwright.features.subscriptions.operations.revert_unpaid_change import revert_unpaid_change
from billwright.features.subscriptions.sql.reads_usage import list_billed_usage, usage_places
from billwright.features.usage.model import (
    Aggregation,
    EventName,
    MeterDefinition,
    NewUsage,
    WholeUnits,
)
from billwright.features.usage.operations.correct_usage import (
    Correction,
    correct_usage,
    corrected_by,
)
from billwright.features.usage.operations.create_meter import CreateMeter, create_meter
from billwright.features.usage.operations.record_usage import record_events
from billwright.features.usage.operations.update_meter import UpdateMeter, update_meter
from tests.scenarios.golden import Story, at, component, fee, told


def calls(price: str, **changes: Any) -> NewComponent:
    """What each call costs."""
    return component("calls", price, kind=ComponentKind.USAGE, meter="calls", **changes)


async def tells(story: Story, when: str, used: str, quantity: str, *, name: str) -> None:
    """What was used at an instant, told at another."""
    await story.until(when)
    assert story.subscription is not None
    subject = UsageSubject("subscription_id", story.subscription.id)
    event = NewUsage(
        source="app",
        event_id=name,
        meter="calls",
        quantity=Decimal(quantity),
        occurred_at=at(used),
    )
    async with story.tenant.tx() as tx:
        places = await find_usage_places(tx, {subject: 0})
        await record_events(tx, [(places[subject], event)])


async def mends(story: Story, when: str, name: str, quantity: str | None = None) -> None:
    """An event is canceled, or has another quantity."""
    await story.until(when)
    correction = Correction(
        name=EventName("app", f"{name} mended"),
        corrects=EventName("app", name),
        quantity=None if quantity is None else Decimal(quantity),
    )
    async with story.tenant.tx() as tx:
        corrected = await corrected_by(tx, [correction])
        places = await usage_places(tx, {one.subscription_id for one in corrected.values()})
        await correct_usage(tx, [correction], corrected=corrected, places=places)


async def recounts(story: Story, when: str) -> int:
    """How many accounts were looked at, and that a second look finds nothing."""
    await story.until(when)
    counted = await adjust_late_usage(story.tenant.work())
    assert await adjust_late_usage(story.tenant.work()) == 0
    return counted


async def explained(story: Story) -> None:
    """Every line of every document can be computed again."""
    for invoice in await story.invoices():
        async with story.tenant.tx() as tx:
            for one in (await explain_invoice(tx, invoice.id)).lines:
                assert one.explanation.agrees, one


async def test_what_comes_late_is_on_the_next_invoice_and_only_there(story):
    # 12 calls, 2 of them free: 10.00. Five more of June are told in July: 15 - 10 = 5.00. One of them
    # is canceled: 3 less, for 3.00.
    await story.until("2026-06-01")
    await story.plan("api", calls("1.00", free_units=Decimal(2)))
    await story.subscribes("2026-06-01", "api")
    await tells(story, "2026-06-10", "2026-06-02", "12", name="a")
    assert await recounts(story, "2026-07-01T12:00") == 0
    await tells(story, "2026-07-01T12:00", "2026-06-20", "2", name="b")
    await tells(story, "2026-07-01T13:00", "2026-06-30", "3", name="c")
    assert await recounts(story, "2026-07-01T23:59") == 0  # a day of grace for other stragglers
    assert await recounts(story, "2026-07-02") == 1
    assert await recounts(story, "2026-07-09") == 0
    await mends(story, "2026-07-10", "c")
    assert await recounts(story, "2026-07-10T12:00") == 0
    assert await recounts(story, "2026-07-11") == 1
    await story.until("2026-08-01")
    assert await recounts(story, "2026-08-03") == 1  # that of July, where nothing has changed
    await story.until("2026-09-01")
    assert await story.documents() == told(
        """
        2026-07-01 invoice 10.00
          api calls x 12 used 10.00, 2026-06-01 to 2026-07-01
        2026-08-01 invoice 2.00
          api calls adjusted 5.00, 2026-06-01 to 2026-07-01
          api calls adjusted -3.00, 2026-06-01 to 2026-07-01
        """
    )
    await explained(story)
    async with story.tenant.tx() as tx:
        billed = await list_billed_usage(tx, story.subscription.id, before=None, limit=9)
    assert [(one.quantity, one.events, one.owed_minor, one.adjustments) for one in billed] == [
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (14, 2, 1200, 2),
    ]


async def test_usage_of_a_period_in_which_nothing_was_known(story):
    await story.until("2026-06-01")
    await story.plan("api", fee("30.00"), calls("1.00"))
    await story.subscribes("2026-06-01", "api")
    await tells(story, "2026-07-03", "2026-06-30T23:59", "4", name="a")
    assert await recounts(story, "2026-07-05") == 1
    await story.until("2026-08-01")
    assert (await story.documents()).split("\n")[-3:] == [
        "2026-08-01 invoice 34.00",
        "  api calls adjusted 4.00, 2026-06-01 to 2026-07-01",
        "  api fee 30.00, 2026-08-01 to 2026-09-01",
    ]
    await explained(story)


async def test_a_minimum_takes_what_comes_late(story):
    # 12 calls and 38.00 to the minimum of 50.00. With 30 more it is still 50.00, with 20 more it is
    # 62.00: 12.00.
    await story.until("2026-06-01")
    await story.plan("api", calls("1.00", minimums=(("EUR", 5000),)))
    await story.subscribes("2026-06-01", "api")
    await tells(story, "2026-06-10", "2026-06-02", "12", name="a")
    await tells(story, "2026-07-03", "2026-06-03", "30", name="b")
    await recounts(story, "2026-07-05")
    await tells(story, "2026-07-06", "2026-06-03", "20", name="c")
    await recounts(story, "2026-07-08")
    await story.until("2026-07-10")
    await story.cancels("2026-07-11", mode=CancellationMode.NOW, bills_final_usage=False)
    assert (await story.documents()).split("\n")[3:] == [
        "2026-07-11 invoice 12.00",
        "  api calls adjusted 12.00, 2026-06-01 to 2026-07-01",
    ]
    await explained(story)


async def test_what_comes_after_the_end_is_invoiced_at_once(story):
    await story.until("2026-06-01")
    await story.plan("api", calls("1.00"))
    await story.subscribes("2026-06-01", "api")
    await tells(story, "2026-06-10", "2026-06-02", "12", name="a")
    await story.cancels("2026-06-16", mode=CancellationMode.NOW)
    await tells(story, "2026-06-20", "2026-06-15", "3", name="b")
    await tells(story, "2026-06-20", "2026-06-17", "99", name="after the end")
    await recounts(story, "2026-06-22")
    await mends(story, "2026-06-23", "a", "5")  # seven less than were paid for
    await recounts(story, "2026-06-25")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 12.00
          api calls x 12 used 12.00, 2026-06-01 to 2026-06-16
        2026-06-22 invoice 3.00
          api calls adjusted 3.00, 2026-06-01 to 2026-06-16
        2026-06-25 credit note -7.00, 7.00 to credit
          api calls adjusted -7.00, 2026-06-01 to 2026-06-16
        """
    )
    await explained(story)


async def test_what_comes_late_has_the_price_of_its_time(story):
    # Until the 11th a call costs 1.00, since then 2.00.
    await story.until("2026-06-01")
    await story.plan("basic", calls("1.00"))
    await story.plan("pro", calls("2.00"))
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-11", "pro", "none")
    await tells(story, "2026-07-02", "2026-06-05", "5", name="a")
    await tells(story, "2026-07-02", "2026-06-11", "7", name="b")
    await recounts(story, "2026-07-05")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-08-01 invoice 19.00
          basic calls adjusted 5.00, 2026-06-01 to 2026-06-11
          pro calls adjusted 14.00, 2026-06-11 to 2026-07-01
        """
    )
    await explained(story)


async def test_what_is_free_stays_free(story):
    """In a trial, in a pause and where the end bills no usage, nothing was billed to be adjusted."""
    await story.until("2026-06-01")
    await story.plan("api", calls("1.00"), terms=PlanTerms(trial_days=10))
    await story.subscribes("2026-06-01", "api")
    await story.pauses("2026-06-21")
    await story.resumes("2026-06-26")
    await story.cancels("2026-06-28", mode=CancellationMode.NOW, bills_final_usage=False)
    for name, used in (("trial", "2026-06-05"), ("pause", "2026-06-23"), ("end", "2026-06-27")):
        await tells(story, "2026-06-29", used, "9", name=name)
    await tells(story, "2026-06-29", "2026-06-20", "2", name="owed")
    await recounts(story, "2026-07-01")
    assert await story.documents() == told(
        """
        2026-07-01 invoice 2.00
          api calls adjusted 2.00, 2026-06-11 to 2026-06-21
        """
    )


async def test_what_is_counted_again_is_counted_as_it_was(story):
    """A meter that has become another counts otherwise from the next bill on."""
    dozens = MeterDefinition(event_type="calls", aggregation=Aggregation.MAX)
    await story.until("2026-06-01")
    async with story.tenant.tx() as tx:
        await create_meter(tx, CreateMeter(code="calls", name="Calls", definition=dozens))
    await story.plan("api", calls("1.00"))
    await story.subscribes("2026-06-01", "api")
    await tells(story, "2026-06-10", "2026-06-02", "12", name="a")
    await tells(story, "2026-06-10", "2026-06-03", "8.5", name="b")
    await story.until("2026-07-02")
    rounded = MeterDefinition(event_type="calls", rounding=WholeUnits.CEIL)
    async with story.tenant.tx() as tx:
        await update_meter(tx, UpdateMeter(meter_code="calls", definition=rounded))
    await tells(story, "2026-07-03", "2026-06-04", "15.5", name="c")
    await tells(story, "2026-07-04", "2026-07-03", "1.25", name="d")
    await tells(story, "2026-07-04", "2026-07-03", "1.25", name="e")
    await recounts(story, "2026-07-05")
    await story.until("2026-08-01")
    # max(12, 8.5), then max(12, 8.5, 15.5); in July 1.25 + 1.25, rounded up.
    assert await story.documents() == told(
        """
        2026-07-01 invoice 12.00
          api calls x 12 used 12.00, 2026-06-01 to 2026-07-01
        2026-08-01 invoice 6.50
          api calls adjusted 3.50, 2026-06-01 to 2026-07-01
          api calls x 3 used 3.00, 2026-07-01 to 2026-08-01
        """
    )
    await explained(story)


async def test_what_was_on_its_way_while_it_was_billed_is_found(story):
    """Its transaction began before the bill and saw no bill, and it ended after it."""
    await story.until("2026-06-01")
    await story.plan("api", calls("1.00"))
    await story.subscribes("2026-06-01", "api")
    subject = UsageSubject("subscription_id", story.subscription.id)
    event = NewUsage(
        source="app",
        event_id="a",
        meter="calls",
        quantity=Decimal(6),
        occurred_at=at("2026-06-30T23:59"),
    )
    async with story.tenant.tx(at("2026-07-01") - timedelta(seconds=1)) as tx:
        places = await find_usage_places(tx, {subject: 0})
        await record_events(tx, [(places[subject], event)])
        await story.until("2026-07-01")
    assert await recounts(story, "2026-07-02") == 1
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-08-01 invoice 6.00
          api calls adjusted 6.00, 2026-06-01 to 2026-07-01
        """
    )


async def test_what_a_change_billed_that_was_not_paid_is_owed_with_its_period_again(story):
    # The change bills the 5 calls up to it and is undone: they are billed with the 7 others at the
    # period's end, and what comes late is added to that once.
    await story.until("2026-06-01")
    await story.plan("basic", fee("30.00"), calls("1.00"))
    await story.plan("pro", fee("60.00"), calls("2.00"))
    await story.customer()
    async with story.tenant.tx() as tx:
        await set_payment_method_presence(tx, story.account.id, present=True)
    await story.subscribes("2026-06-01", "basic")
    story.pays_promptly = False
    await tells(story, "2026-06-05", "2026-06-05", "5", name="a")
    await story.changes("2026-06-16", "pro")
    [*_, changed] = await story.invoices()
    async with story.tenant.tx() as tx:
        assert await revert_unpaid_change(tx, changed.id)
        assert await list_billed_usage(tx, story.subscription.id, before=None, limit=9) == []
    await tells(story, "2026-06-17", "2026-06-06", "7", name="b")
    await recounts(story, "2026-06-18")
    await tells(story, "2026-07-02", "2026-06-30", "1", name="c")
    await recounts(story, "2026-07-04")
    await story.until("2026-08-01")
    assert (await story.documents()).split("\n")[-6:] == [
        "2026-07-01 invoice 42.00",
        "  basic calls x 12 used 12.00, 2026-06-01 to 2026-07-01",
        "  basic fee 30.00, 2026-07-01 to 2026-08-01",
        "2026-08-01 invoice 31.00",
        "  basic calls adjusted 1.00, 2026-06-01 to 2026-07-01",
        "  basic fee 30.00, 2026-08-01 to 2026-09-01",
    ]
