"""Do commands that follow each other in unusual ways still cost what they cost by hand?

The plans are 30.00, 60.00 and 90.00 a month, and June has thirty days.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
import pytest_asyncio

from billwright.features.catalog.model import Alignment, PlanTerms, Timing
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationProration,
    PauseProration,
)
from billwright.kernel.proration import Granularity
from tests.scenarios.golden import at, component, fee, told, units

LEAVES = {"mode": CancellationMode.NOW, "proration": CancellationProration.CREDIT}
IN_ARREARS = {"timing": Timing.IN_ARREARS}


@pytest_asyncio.fixture
async def june(story):
    """A subscription to the basic plan since the first of June."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.plan("max", "90.00")
    await story.subscribes("2026-06-01", "basic")
    return story


async def test_a_change_at_the_boundary_that_the_billing_run_has_not_reached(june):
    # July has begun, so that it is renewed first and taken back in whole.
    june.clock.move_to(at("2026-07-01"))
    await june.changes("2026-07-01", "pro")
    assert (await june.documents()).split("\n")[2:] == [
        "2026-07-01 invoice 30.00",
        "  basic fee 30.00, 2026-07-01 to 2026-08-01",
        "2026-07-01 invoice 30.00",
        "  basic fee back -30.00, 2026-07-01 to 2026-08-01",
        "  pro fee 60.00, 2026-07-01 to 2026-08-01",
    ]


async def test_what_a_full_reset_left_behind_is_not_given_back_later(june):
    # The period since 16 June is 30 days; on 1 July 15 of them are left of 60.00. Of basic, which
    # was paid until then, nothing.
    await june.changes("2026-06-16", "pro", "full_reset")
    await june.cancels("2026-06-21", **LEAVES)
    assert (await june.documents()).split("\n")[-2:] == [
        "2026-06-21 credit note -50.00, 50.00 to credit",
        "  pro fee back -50.00, 2026-06-21 to 2026-07-16",
    ]


async def test_up_and_down_three_times_costs_each_plan_for_its_days(june):
    # 10 days of basic, 10 of pro, 5 of max, 5 of basic: 10.00 + 20.00 + 15.00 + 5.00.
    await june.changes("2026-06-11", "pro")
    await june.changes("2026-06-21", "max")
    await june.changes("2026-06-26", "basic")
    assert sum(one.total_minor for one in await june.invoices()) == 5000


async def test_changes_of_which_one_was_for_nothing_and_one_waits(june):
    # To pro for nothing on the 11th. To max with the next invoice on the 16th: 15.00 of basic, which
    # is what was paid, back, 45.00 ahead. To basic at once on the 26th: 15.00 of max back, 5.00 ahead,
    # on one invoice with what waits.
    await june.changes("2026-06-11", "pro", "none")
    await june.changes("2026-06-16", "max", "next_invoice")
    await june.changes("2026-06-26", "basic")
    await june.until("2026-07-01")
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-26 invoice 20.00",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
        "  max fee 45.00, 2026-06-16 to 2026-07-01",
        "  max fee back -15.00, 2026-06-26 to 2026-07-01",
        "  basic fee 5.00, 2026-06-26 to 2026-07-01",
        "2026-07-01 invoice 30.00",
        "  basic fee 30.00, 2026-07-01 to 2026-08-01",
    ]


async def test_a_change_for_nothing_of_what_runs_in_arrears(story):
    # The old price for the whole of June, the new one from July on.
    await story.until("2026-06-01")
    await story.plan("basic", component("hours", "30.00", **IN_ARREARS))
    await story.plan("pro", component("hours", "60.00", **IN_ARREARS))
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-16", "pro", "none")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-07-01 invoice 30.00
          basic hours 30.00, 2026-06-01 to 2026-07-01
        2026-08-01 invoice 60.00
          pro hours 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_a_change_at_a_price_after_one_for_nothing_in_arrears(story):
    # June at the old price is 30.00; its last ten days are taken back for 90.00 x 10/30.
    await story.until("2026-06-01")
    for plan, price in (("basic", "30.00"), ("pro", "60.00"), ("max", "90.00")):
        await story.plan(plan, component("hours", price, **IN_ARREARS))
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-16", "pro", "none")
    await story.changes("2026-06-21", "max")
    await story.until("2026-07-01")
    assert [one.total_minor for one in await story.invoices()] == [2000, 3000]


async def test_a_minimum_holds_for_both_halves_of_a_month(story):
    # 3 and then 4 slots at 10.00, at least 50.00 a month, so 25.00 a half. The first half is 15.00, of
    # which 10.00 are missing, the second 20.00, of which 5.00 are: 50.00 for June.
    await story.until("2026-06-01")
    await story.plan("rack", component("slots", "10.00", minimums=(("EUR", 5000),)))
    await story.subscribes("2026-06-01", "rack", quantities=units(slots=3))
    await story.sets("2026-06-16", units(slots=4))
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 30.00
          rack slots x 3 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 15.00
          rack slots minimum 10.00, 2026-06-01 to 2026-06-16
          rack slots x 3 back -15.00, 2026-06-16 to 2026-07-01
          rack slots x 4 20.00, 2026-06-16 to 2026-07-01
        2026-07-01 invoice 45.00
          rack slots minimum 5.00, 2026-06-16 to 2026-07-01
          rack slots x 4 40.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_from_months_to_years_along_the_calendar(story):
    # From 16 June to the end of 2026 are 199 of 365 days: 365.00 x 199/365, less 15.00 of June.
    terms = PlanTerms(alignment=Alignment.CALENDAR)
    await story.until("2026-06-01")
    await story.plan("basic", "30.00", terms=terms)
    await story.plan("yearly", "365.00", every="year", terms=terms)
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-16", "yearly")
    await story.until("2027-01-01")
    assert (await story.documents()).split("\n")[2:] == [
        "2026-06-16 invoice 184.00",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
        "  yearly fee 199.00, 2026-06-16 to 2027-01-01",
        "2027-01-01 invoice 365.00",
        "  yearly fee 365.00, 2027-01-01 to 2028-01-01",
    ]


async def test_who_leaves_while_paused_gets_the_days_after_that_back(june):
    # The pause took nothing back: 10 of 30 days are left on the 21st.
    await june.pauses("2026-06-11")
    await june.cancels("2026-06-21", **LEAVES)
    assert (await june.documents()).split("\n")[-2:] == [
        "2026-06-21 credit note -10.00, 10.00 to credit",
        "  basic fee back -10.00, 2026-06-21 to 2026-07-01",
    ]


async def test_who_leaves_after_a_pause_with_credit_gets_nothing_twice(june):
    await june.pauses("2026-06-11", proration=PauseProration.CREDIT)
    await june.cancels("2026-06-21", **LEAVES)
    assert [one.total_minor for one in await june.invoices()] == [3000, -2000]


async def test_a_change_after_a_pause_within_the_period(june):
    # June was paid and goes on: 10 of 30 days are left on the 21st.
    await june.pauses("2026-06-05")
    await june.resumes("2026-06-11")
    await june.changes("2026-06-21", "pro")
    assert (await june.documents()).split("\n")[-3:] == [
        "2026-06-21 invoice 10.00",
        "  basic fee back -10.00, 2026-06-21 to 2026-07-01",
        "  pro fee 20.00, 2026-06-21 to 2026-07-01",
    ]


async def test_a_minimum_goes_on_after_a_pause_with_the_price_that_was_paid(story):
    # 30.00 in advance, at least 60.00: 1.00 a day is missing, but for the days from the 11th to the 15th.
    # The other minimum holds from the renewal on.
    await story.until("2026-06-01")
    await story.plan("basic", fee("30.00", minimums=(("EUR", 6000),)))
    await story.plan("pro", fee("60.00", minimums=(("EUR", 9000),)))
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-06", "pro", "none")
    await story.pauses("2026-06-11")
    await story.resumes("2026-06-16")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-11 invoice 10.00
          basic fee minimum 30.00, 2026-06-01 to 2026-07-01
          basic fee back -20.00, 2026-06-11 to 2026-07-01
        2026-07-01 invoice 75.00
          basic fee minimum 15.00, 2026-06-16 to 2026-07-01
          pro fee 60.00, 2026-07-01 to 2026-08-01
        2026-08-01 invoice 90.00
          pro fee minimum 30.00, 2026-07-01 to 2026-08-01
          pro fee 60.00, 2026-08-01 to 2026-09-01
        """
    )


async def test_a_change_that_waits_for_the_renewal_ends_with_a_pause(june):
    await june.changes("2026-06-05", "pro", "period_end")
    await june.pauses("2026-06-11")
    await june.resumes("2026-06-21")
    await june.until("2026-07-01")
    assert [one.subtotal_minor for one in await june.invoices()] == [3000, 3000]


async def test_a_cancellation_at_the_instant_of_a_change_comes_first(june):
    await june.changes("2026-06-05", "pro", on="2026-06-16")
    await june.cancels(
        "2026-06-06",
        mode=CancellationMode.AT,
        cancel_at=at("2026-06-16"),
        proration=CancellationProration.CREDIT,
    )
    await june.until("2026-08-01")
    assert [one.total_minor for one in await june.invoices()] == [3000, -1500]


async def test_a_fee_that_stays_is_not_touched_by_a_change_of_seats(story):
    await story.until("2026-06-01")
    await story.plan("team", fee("30.00"), component("seats", "10.00"))
    await story.subscribes("2026-06-01", "team", quantities=units(seats=1))
    await story.sets("2026-06-16", units(seats=2))
    assert (await story.documents()).split("\n")[-3:] == [
        "2026-06-16 invoice 5.00",
        "  team seats back -5.00, 2026-06-16 to 2026-07-01",
        "  team seats x 2 10.00, 2026-06-16 to 2026-07-01",
    ]


async def test_no_seats_cost_nothing_and_come_back_at_their_price(story):
    # Half of 10.00 back; from the 26th on 5 of 30 days of 2 seats, 20.00 x 5/30 = 3.33.
    await story.until("2026-06-01")
    await story.plan("team", component("seats", "10.00"))
    await story.subscribes("2026-06-01", "team", quantities=units(seats=1))
    await story.sets("2026-06-16", units(seats=0))
    await story.sets("2026-06-26", units(seats=2))
    await story.until("2026-07-01")
    assert [one.subtotal_minor for one in await story.invoices()] == [1000, -500, 333, 2000]


async def test_fractions_of_a_cent_do_not_pile_up(story):
    # 0.10 and 0.11 a month, with a change on each of ten days. Of 29 days 9.67 and 10.63 cents are
    # left, rounded 10 and 11; of 28 days 9.33 and 10.27, 9 and 10; and so on, down to 20 days:
    #   a  10  9  9  9  8  8  8  7  7  7
    #   b  11 10 10 10  9  9  8  8  8  7
    # There costs b - a, back a - b.
    await story.until("2026-06-01")
    await story.plan("a", "0.10")
    await story.plan("b", "0.11")
    await story.subscribes("2026-06-01", "a")
    for day in range(2, 12):
        await story.changes(f"2026-06-{day:02}", "b" if day % 2 == 0 else "a")
    paid = [one.total_minor for one in await story.invoices()]
    assert paid == [10, 1, -1, 1, -1, 1, -1, 0, -1, 1, 0]


async def test_a_run_that_comes_late_bills_what_runs_in_time_would_have(june):
    # A change on 16 June and an end on 16 July, and nobody looks before August.
    await june.changes("2026-06-02", "pro", on="2026-06-16")
    await june.cancels(
        "2026-06-03",
        mode=CancellationMode.AT,
        cancel_at=at("2026-08-16"),
        proration=CancellationProration.CREDIT,
    )
    await june.changes("2026-06-04", "max", on="2026-06-16")
    june.clock.move_to(at("2026-09-01"))
    await june.bill()
    lines = [line for line in (await june.documents()).split("\n") if line.startswith(" ")]
    assert lines == [
        "  basic fee 30.00, 2026-06-01 to 2026-07-01",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
        "  max fee 45.00, 2026-06-16 to 2026-07-01",
        "  max fee 90.00, 2026-07-01 to 2026-08-01",
        "  max fee 90.00, 2026-08-01 to 2026-09-01",
        # 16 of 31 days: 90.00 x 16/31 = 46.4516
        "  max fee back -46.45, 2026-08-16 to 2026-09-01",
    ]


@pytest.mark.parametrize(
    ("when", "left", "expected"),
    [
        ("2026-06-15T21:30", 16, 1600),  # 15 June, 23:30 in Berlin: 16 days, 32.00 - 16.00
        ("2026-06-15T22:30", 15, 1500),  # 16 June, 0:30
    ],
)
async def test_days_are_those_of_the_customer(story, when, left, expected):
    await story.seller(proration_granularity=Granularity.DAY)
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-05-31T22:00")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.subscribes("2026-05-31T22:00", "basic")
    await story.changes(when, "pro")
    *_, change = await story.invoices()
    assert change.total_minor == expected == 2 * left * 100 - left * 100


async def test_from_a_price_with_tax_to_one_without(story):
    # 11.90 with tax are 10.00 and 1.90. Half back is 5.95, 5.00 and 0.95; half of 20.00 is 10.00 and
    # 1.90 of tax.
    await story.seller(small_business_exempt=False, tax_rates={"standard": Decimal("0.19")})
    await story.until("2026-06-01")
    await story.plan("with", "11.90", tax_inclusive=True)
    await story.plan("without", "20.00")
    await story.subscribes("2026-06-01", "with")
    await story.changes("2026-06-16", "without")
    assert [
        (one.subtotal_minor, one.tax_minor, one.total_minor) for one in await story.invoices()
    ] == [(1000, 190, 1190), (500, 95, 595)]


async def test_another_plan_at_the_renewal_owes_what_ran_in_arrears_at_the_old_price(story):
    await story.until("2026-06-01")
    await story.plan("basic", component("hours", "30.00", **IN_ARREARS))
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-16", "pro", "period_end")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-07-01 invoice 90.00
          basic hours 30.00, 2026-06-01 to 2026-07-01
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_a_yearly_subscription_that_changes_twice_in_its_year(story):
    # 365 days at 1.00 and 2.00 a day: 265 days are left on 11 April, 165 on 20 July.
    await story.until("2026-01-01")
    await story.plan("basic", "365.00", every="year")
    await story.plan("pro", "730.00", every="year")
    await story.subscribes("2026-01-01", "basic")
    await story.changes("2026-04-11", "pro")
    await story.changes("2026-07-20", "basic")
    assert [one.total_minor for one in await story.invoices()] == [36500, 26500, -16500]
