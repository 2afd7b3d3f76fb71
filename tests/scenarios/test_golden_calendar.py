"""Do periods begin where the calendar and the clocks of the customer say, and is each billed once?"""

from __future__ import annotations

import pytest

from billwright.features.catalog.model import Alignment, PlanTerms
from billwright.features.subscriptions.model import CancellationMode, CancellationProration
from tests.scenarios.golden import Story, at, told

CALENDAR = PlanTerms(alignment=Alignment.CALENDAR)


async def starts(story: Story) -> list[str]:
    """Where the billed periods begin, after a look that each ends where the next begins."""
    async with story.tenant.tx() as tx:
        rows = await tx.fetch("select period_start, period_end from charge order by period_start")
    assert [row["period_end"] for row in rows[:-1]] == [row["period_start"] for row in rows[1:]]
    return [row["period_start"].strftime("%Y-%m-%dT%H:%M") for row in rows]


@pytest.mark.parametrize(
    ("every", "begins", "until", "expected"),
    [
        ("hour", "2026-06-01T10:30", "2026-06-01T13:00", ["01T10:30", "01T11:30", "01T12:30"]),
        ("day", "2026-06-01T10:30", "2026-06-03T12:00", ["01T10:30", "02T10:30", "03T10:30"]),
        ("week", "2026-06-01T10:30", "2026-06-16", ["01T10:30", "08T10:30", "15T10:30"]),
    ],
)
async def test_short_periods(story, *, every, begins, until, expected):
    await story.until(begins)
    await story.plan("basic", "7.00", every=every)
    await story.subscribes(begins, "basic")
    await story.until(until)
    assert await starts(story) == [f"2026-06-{one}" for one in expected]
    assert {one.subtotal_minor for one in await story.invoices()} == {700}


@pytest.mark.parametrize(
    ("every", "begins", "until", "expected"),
    [
        # The 31st comes back after each month that has none.
        (
            "month",
            "2026-01-31",
            "2026-06-01",
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
        ),
        # Quarters of a 31st, and of a 29th over a February: always four a year.
        (
            "quarter",
            "2026-01-31",
            "2027-02-01",
            ["2026-01-31", "2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31"],
        ),
        (
            "quarter",
            "2025-11-29",
            "2026-12-01",
            ["2025-11-29", "2026-02-28", "2026-05-29", "2026-08-29", "2026-11-29"],
        ),
        # The leap day comes back in leap years.
        (
            "year",
            "2024-02-29",
            "2028-03-01",
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        ),
    ],
)
async def test_the_end_of_a_month(story, *, every, begins, until, expected):
    await story.until(begins)
    await story.plan("basic", "30.00", every=every)
    await story.subscribes(begins, "basic")
    await story.until(until)
    assert await starts(story) == [f"{one}T00:00" for one in expected]
    assert {one.subtotal_minor for one in await story.invoices()} == {3000}


async def test_a_share_is_one_of_the_whole_period_however_little_is_left(story):
    # 31 January to 28 February are 28 days. On 14 February 14 are left: 28.00 x 14/28 back and
    # 56.00 x 14/28 ahead. On the 21st 7 are: 56.00 x 7/28 back and 84.00 x 7/28 ahead; of the 14 days
    # that the second charge was for, 7 would be a half.
    await story.until("2026-01-31")
    for plan, price in (("a", "28.00"), ("b", "56.00"), ("c", "84.00")):
        await story.plan(plan, price)
    await story.subscribes("2026-01-31", "a")
    await story.changes("2026-02-14", "b")
    await story.changes("2026-02-21", "c")
    await story.until("2026-03-31")
    assert await story.documents() == told(
        """
        2026-01-31 invoice 28.00
          a fee 28.00, 2026-01-31 to 2026-02-28
        2026-02-14 invoice 14.00
          a fee back -14.00, 2026-02-14 to 2026-02-28
          b fee 28.00, 2026-02-14 to 2026-02-28
        2026-02-21 invoice 7.00
          b fee back -14.00, 2026-02-21 to 2026-02-28
          c fee 21.00, 2026-02-21 to 2026-02-28
        2026-02-28 invoice 84.00
          c fee 84.00, 2026-02-28 to 2026-03-31
        2026-03-31 invoice 84.00
          c fee 84.00, 2026-03-31 to 2026-04-30
        """
    )


async def test_a_stub_before_the_first_of_the_month(story):
    # 11 to 30 June are 20 of 30 days: 30.00 x 20/30.
    await story.until("2026-06-11")
    await story.plan("basic", "30.00", terms=CALENDAR)
    await story.subscribes("2026-06-11", "basic")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-11 invoice 20.00
          basic fee 20.00, 2026-06-11 to 2026-07-01
        2026-07-01 invoice 30.00
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_a_change_in_a_stub(story):
    # The stub is 20 of 30 days. On the 21st 10 of the 30 are left: 10.00 back, 20.00 ahead.
    await story.until("2026-06-11")
    await story.plan("basic", "30.00", terms=CALENDAR)
    await story.plan("pro", "60.00", terms=CALENDAR)
    await story.subscribes("2026-06-11", "basic")
    await story.changes("2026-06-21", "pro")
    assert (await story.documents()).split("\n")[2:] == [
        "2026-06-21 invoice 10.00",
        "  basic fee back -10.00, 2026-06-21 to 2026-07-01",
        "  pro fee 20.00, 2026-06-21 to 2026-07-01",
    ]


async def test_a_stub_before_a_day_of_the_month_that_not_every_month_has(story):
    # Months begin on the 31st: the one of 15 February on 31 January, 28 days until the 28th, of
    # which 13 are left: 28.00 x 13/28.
    await story.until("2026-02-15")
    terms = PlanTerms(alignment=Alignment.CALENDAR, calendar_day=31)
    await story.plan("basic", "28.00", terms=terms)
    await story.subscribes("2026-02-15", "basic")
    await story.until("2026-05-01")
    assert await starts(story) == [
        "2026-02-15T00:00",
        "2026-02-28T00:00",
        "2026-03-31T00:00",
        "2026-04-30T00:00",
    ]
    assert [one.subtotal_minor for one in await story.invoices()] == [1300, 2800, 2800, 2800]


async def test_a_stub_before_a_quarter_of_the_calendar(story):
    # April to June are 91 days, of which 46 are left on 16 May: 91.00 x 46/91.
    await story.until("2026-05-16")
    await story.plan("basic", "91.00", every="quarter", terms=CALENDAR)
    await story.subscribes("2026-05-16", "basic")
    await story.until("2026-10-01")
    assert await starts(story) == ["2026-05-16T00:00", "2026-07-01T00:00", "2026-10-01T00:00"]
    assert [one.subtotal_minor for one in await story.invoices()] == [4600, 9100, 9100]


async def test_a_day_of_23_hours_in_berlin(story):
    # 29 March: clocks go from 2:00 to 3:00. The day begins at 23:00 UTC and ends at 22:00; at noon,
    # 10:00 UTC, 12 of its 23 hours are left.
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-03-27T23:00")
    await story.plan("basic", "23.00", every="day")
    await story.plan("pro", "46.00", every="day")
    await story.subscribes("2026-03-27T23:00", "basic")
    await story.changes("2026-03-29T10:00", "pro")
    await story.until("2026-03-29T22:00")
    assert await story.documents() == told(
        """
        2026-03-27T23:00 invoice 23.00
          basic fee 23.00, 2026-03-27T23:00 to 2026-03-28T23:00
        2026-03-28T23:00 invoice 23.00
          basic fee 23.00, 2026-03-28T23:00 to 2026-03-29T22:00
        2026-03-29T10:00 invoice 12.00
          basic fee back -12.00, 2026-03-29T10:00 to 2026-03-29T22:00
          pro fee 24.00, 2026-03-29T10:00 to 2026-03-29T22:00
        2026-03-29T22:00 invoice 46.00
          pro fee 46.00, 2026-03-29T22:00 to 2026-03-30T22:00
        """
    )


async def test_a_month_of_745_hours_in_new_york(story):
    # From noon on 15 October (16:00 UTC) to noon on 15 November (17:00 UTC) are 31 days and the hour
    # that 1 November has twice. Who leaves at noon on 1 November has 14 days left, 336 of 745 hours.
    await story.customer(zone="America/New_York")
    await story.until("2026-10-15T16:00")
    await story.plan("basic", "74.50")
    await story.subscribes("2026-10-15T16:00", "basic")
    await story.cancels(
        "2026-11-01T17:00", mode=CancellationMode.NOW, proration=CancellationProration.CREDIT
    )
    assert await story.documents() == told(
        """
        2026-10-15T16:00 invoice 74.50
          basic fee 74.50, 2026-10-15T16:00 to 2026-11-15T17:00
        2026-11-01T17:00 credit note -33.60, 33.60 to credit
          basic fee back -33.60, 2026-11-01T17:00 to 2026-11-15T17:00
        """
    )


async def test_a_day_of_24_and_a_half_hours_on_lord_howe_island(story):
    # 5 April: clocks go back by half an hour. The day begins at 13:00 UTC and ends at 13:30; half of
    # its 24.5 hours have passed at 1:15.
    await story.customer(zone="Australia/Lord_Howe")
    await story.until("2026-04-04T13:00")
    await story.plan("basic", "24.50", every="day")
    await story.plan("pro", "49.00", every="day")
    await story.subscribes("2026-04-04T13:00", "basic")
    await story.changes("2026-04-05T01:15", "pro")
    await story.until("2026-04-05T13:30")
    assert (await story.documents()).split("\n")[2:] == [
        "2026-04-05T01:15 invoice 12.25",
        "  basic fee back -12.25, 2026-04-05T01:15 to 2026-04-05T13:30",
        "  pro fee 24.50, 2026-04-05T01:15 to 2026-04-05T13:30",
        "2026-04-05T13:30 invoice 49.00",
        "  pro fee 49.00, 2026-04-05T13:30 to 2026-04-06T13:30",
    ]


async def test_hours_pass_over_the_hour_that_clocks_show_twice(story):
    # 25 October in Berlin: 2:00 to 3:00 is shown twice, from 0:00 and from 1:00 UTC.
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-10-24T23:30")
    await story.plan("basic", "1.00", every="hour")
    await story.subscribes("2026-10-24T23:30", "basic")
    await story.until("2026-10-25T03:00")
    assert await starts(story) == [
        "2026-10-24T23:30",
        "2026-10-25T00:30",
        "2026-10-25T01:30",
        "2026-10-25T02:30",
    ]


async def test_a_customer_moves_to_another_zone(story):
    # Until the boundary in Berlin, 1 March 0:00 (23:00 UTC), nothing changes. The next month begins
    # there, ends on 1 April 0:00 in New York (4:00 UTC), and costs what a month costs.
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-01-31T23:00")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-01-31T23:00", "basic")
    await story.customer_moves("2026-02-10", zone="America/New_York")
    await story.until("2026-04-01T04:00")
    assert await story.documents() == told(
        """
        2026-01-31T23:00 invoice 30.00
          basic fee 30.00, 2026-01-31T23:00 to 2026-02-28T23:00
        2026-02-28T23:00 invoice 30.00
          basic fee 30.00, 2026-02-28T23:00 to 2026-04-01T04:00
        2026-04-01T04:00 invoice 30.00
          basic fee 30.00, 2026-04-01T04:00 to 2026-05-01T04:00
        """
    )


async def test_a_change_in_the_long_month_of_a_move(story):
    # The month of the move, 28 February 23:00 to 1 April 4:00 UTC, has 31 days and 5 hours: 749. On
    # 16 March at 0:00 UTC 388 of them are left: 74.90 x 388/749 = 38.80.
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-01-31T23:00")
    await story.plan("basic", "74.90")
    await story.subscribes("2026-01-31T23:00", "basic")
    await story.customer_moves("2026-02-10", zone="America/New_York")
    await story.cancels(
        "2026-03-16", mode=CancellationMode.NOW, proration=CancellationProration.CREDIT
    )
    *_, note = await story.invoices()
    assert note.subtotal_minor == -3880


async def test_who_came_before_the_clocks_went_forward_is_billed_as_who_came_after(story):
    # Months begin on the 31st in Berlin. Both renew on 30 April and 31 May at 0:00, 22:00 UTC.
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-03-10")
    terms = PlanTerms(alignment=Alignment.CALENDAR, calendar_day=31)
    await story.plan("basic", "31.00", terms=terms)
    await story.subscribes("2026-03-10", "basic")
    await story.subscribes("2026-04-10", "basic")
    await story.until("2026-06-01")
    *_, april, may = await story.invoices()
    assert [april.finalized_at, may.finalized_at] == [
        at("2026-04-29T22:00"),
        at("2026-05-30T22:00"),
    ]
    assert [april.subtotal_minor, may.subtotal_minor] == [6200, 6200]
