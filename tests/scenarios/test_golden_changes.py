"""Does a change of plan or units cost what it costs by hand?

The plans are 30.00, 60.00 and 90.00 a month, and June has thirty days.
"""

from __future__ import annotations

import pytest
import pytest_asyncio

from billwright.features.subscriptions.model import CancellationMode, CancellationProration
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.migrate_subscription import (
    MigrateSubscription,
    migrate_subscription,
)
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.kernel.proration import Granularity
from tests.scenarios.golden import at, told
from tests.scenarios.storytelling import told as facts_of

NOW = {"mode": CancellationMode.NOW, "proration": CancellationProration.CREDIT}


@pytest_asyncio.fixture
async def june(story):
    """A subscription to the basic plan since the first of June."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.plan("max", "90.00")
    await story.subscribes("2026-06-01", "basic")
    return story


async def test_an_upgrade_is_invoiced_at_once(june):
    # 15 of 30 days are left: 30.00 x 15/30 = 15.00 back, 60.00 x 15/30 = 30.00 ahead.
    await june.changes("2026-06-16", "pro", "invoice_now")
    await june.until("2026-07-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 15.00
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          pro fee 30.00, 2026-06-16 to 2026-07-01
        2026-07-01 invoice 60.00
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_an_upgrade_waits_for_the_next_invoice(june):
    # The same lines, in July: -15.00 + 30.00 + 60.00 = 75.00.
    await june.changes("2026-06-16", "pro", "next_invoice")
    await june.until("2026-07-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 75.00
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          pro fee 30.00, 2026-06-16 to 2026-07-01
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_an_upgrade_costs_nothing_until_the_renewal(june):
    await june.changes("2026-06-16", "pro", "none")
    await june.until("2026-07-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 60.00
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_a_full_reset_begins_anew_and_gives_nothing_back(june):
    await june.changes("2026-06-16", "pro", "full_reset")
    await june.until("2026-07-16")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 60.00
          pro fee 60.00, 2026-06-16 to 2026-07-16
        2026-07-16 invoice 60.00
          pro fee 60.00, 2026-07-16 to 2026-08-16
        """
    )


async def test_a_late_upgrade_with_reset_buys_a_whole_period(june):
    # One day before the end, an upgrade by share would cost 2.00 - 1.00 = 1.00, and whatever comes
    # with a period could be used up for it.
    await june.changes("2026-06-30", "pro", "full_reset")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-30 invoice 60.00
          pro fee 60.00, 2026-06-30 to 2026-07-30
        """
    )


async def test_a_downgrade_leaves_credit_that_the_next_invoice_takes(june):
    # To pro on the 11th: 20/30 of 30.00 back, of 60.00 ahead: 40.00 - 20.00 = 20.00.
    # Back on the 21st: 10/30 of 60.00 back, of 30.00 ahead: 10.00 - 20.00 = -10.00.
    await june.changes("2026-06-11", "pro")
    await june.changes("2026-06-21", "basic")
    await june.until("2026-07-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-11 invoice 20.00
          basic fee back -20.00, 2026-06-11 to 2026-07-01
          pro fee 40.00, 2026-06-11 to 2026-07-01
        2026-06-21 credit note -10.00, 10.00 to credit
          pro fee back -20.00, 2026-06-21 to 2026-07-01
          basic fee 10.00, 2026-06-21 to 2026-07-01
        2026-07-01 invoice 30.00, 10.00 from credit
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """
    )
    # What June cost: 20 days of basic and 10 of pro, 20.00 + 20.00, is 30.00 + 20.00 - 10.00.
    assert await june.balance() == "0.00 EUR"


async def test_a_downgrade_that_waits_makes_the_next_invoice_smaller(june):
    # pro at once: 30.00 - 15.00 = 15.00; on the 26th 5/30 of 60.00 back and of 30.00 ahead.
    await june.changes("2026-06-16", "pro")
    await june.changes("2026-06-26", "basic", "next_invoice")
    await june.until("2026-07-01")
    assert (await june.documents()).split("\n")[5:] == [
        "2026-07-01 invoice 25.00",
        "  pro fee back -10.00, 2026-06-26 to 2026-07-01",
        "  basic fee 5.00, 2026-06-26 to 2026-07-01",
        "  basic fee 30.00, 2026-07-01 to 2026-08-01",
    ]


async def test_a_change_comes_at_the_instant_that_it_was_asked_for(june):
    await june.changes("2026-06-02", "pro", on="2026-06-16T12:00")
    await june.until("2026-06-30")
    # 14.5 of 30 days: 14.50 back, 29.00 ahead.
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16T12:00 invoice 14.50
          basic fee back -14.50, 2026-06-16T12:00 to 2026-07-01
          pro fee 29.00, 2026-06-16T12:00 to 2026-07-01
        """
    )


async def test_the_latest_change_for_the_end_of_a_period_wins(june):
    await june.changes("2026-06-10", "pro", "period_end")
    await june.changes("2026-06-20", "max", "period_end")
    await june.until("2026-07-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 90.00
          max fee 90.00, 2026-07-01 to 2026-08-01
        """
    )
    assert (await facts_of(june.tenant))["subscription.changed"] == 1


async def test_another_interval_is_invoiced_at_once_even_if_it_was_to_wait(june):
    # 15.00 of basic back, and a year of 365.00 from here on.
    await june.plan("yearly", "365.00", every="year")
    await june.changes("2026-06-16", "yearly", "next_invoice")
    await june.until("2027-06-16")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 350.00
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          yearly fee 365.00, 2026-06-16 to 2027-06-16
        2027-06-16 invoice 365.00
          yearly fee 365.00, 2027-06-16 to 2028-06-16
        """
    )


async def test_another_interval_at_the_renewal_costs_nothing_before(june):
    await june.plan("yearly", "365.00", every="year")
    await june.changes("2026-06-16", "yearly", "period_end")
    await june.until("2026-07-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 365.00
          yearly fee 365.00, 2026-07-01 to 2027-07-01
        """
    )


async def test_from_a_year_to_a_month_the_rest_of_the_year_is_credit(story):
    await story.until("2026-01-01")
    await story.plan("yearly", "365.00", every="year")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-01-01", "yearly")
    # 184 days of 365 are left on 1 July: 184.00. Months of 30.00 take it, six times and 4.00.
    await story.changes("2026-07-01", "basic")
    assert await story.balance() == "154.00 EUR"
    await story.until("2026-12-31")
    assert await story.balance() == "4.00 EUR"
    assert [(one.subtotal_minor, one.credit_applied_minor) for one in await story.invoices()] == [
        (36500, 0),
        (-15400, 0),  # 30.00 of July and 184.00 back
        *[(3000, 3000)] * 5,  # August to December
    ]


@pytest.mark.parametrize("price", ["60.00", "59.99", "0.01", "1000000.01"])
async def test_there_and_back_at_one_instant_costs_nothing(june, price):
    await june.plan("other", price)
    await june.changes("2026-06-17T13:14", "other")
    await june.changes("2026-06-17T13:14", "basic")
    there, back = (await june.invoices())[1:]
    assert there.subtotal_minor == -back.subtotal_minor
    # What is charged for the rest of June can be taken back in full.
    await june.cancels("2026-06-17T13:14", **NOW)
    *_, last = await june.invoices()
    # 30 days are 2,592,000 s; 13 days, 10 h, 46 min are left, 1,161,960 s: 13.4486 of 30.00.
    assert last.subtotal_minor == -1345


async def test_two_changes_at_one_instant_cost_what_the_last_alone_costs(june):
    # Thirteen of thirty days: 13.00 of basic back, 26.00 of pro there and back, 39.00 of max.
    await june.changes("2026-06-18", "pro")
    await june.changes("2026-06-18", "max")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-18 invoice 13.00
          basic fee back -13.00, 2026-06-18 to 2026-07-01
          pro fee 26.00, 2026-06-18 to 2026-07-01
        2026-06-18 invoice 13.00
          pro fee back -26.00, 2026-06-18 to 2026-07-01
          max fee 39.00, 2026-06-18 to 2026-07-01
        """
    )


async def test_a_change_at_the_very_beginning_takes_everything_back(june):
    await june.changes("2026-06-01", "pro")
    await june.changes("2026-06-01", "basic")
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-01 invoice 30.00",
        "  basic fee back -30.00, 2026-06-01 to 2026-07-01",
        "  pro fee 60.00, 2026-06-01 to 2026-07-01",
        "2026-06-01 credit note -30.00, 30.00 to credit",
        "  pro fee back -60.00, 2026-06-01 to 2026-07-01",
        "  basic fee 30.00, 2026-06-01 to 2026-07-01",
    ]


async def test_who_changes_and_then_leaves_gets_the_rest_of_both_back(june):
    # pro for the second half is 30.00, of which 10 of 15 days are left on the 21st: 20.00.
    await june.changes("2026-06-16", "pro")
    await june.cancels("2026-06-21", **NOW)
    assert (await june.documents()).split("\n")[-2:] == [
        "2026-06-21 credit note -20.00, 20.00 to credit",
        "  pro fee back -20.00, 2026-06-21 to 2026-07-01",
    ]


async def test_a_change_after_one_without_proration_gives_back_what_was_paid(june):
    # On the 11th to pro for nothing: June is paid at the basic price. On the 21st to max: ten days of
    # basic are given back, 10.00, not of pro; ten days of max are 30.00.
    await june.changes("2026-06-11", "pro", "none")
    await june.changes("2026-06-21", "max")
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-21 invoice 20.00",
        "  basic fee back -10.00, 2026-06-21 to 2026-07-01",
        "  max fee 30.00, 2026-06-21 to 2026-07-01",
    ]


async def test_a_preview_is_applied_to_the_cent(june):
    # A preview at noon, applied five minutes later as of noon: 14.5 days, as above.
    noon, timing = "2026-06-16T12:00", ChangeTiming(at=at("2026-06-16T12:00"))
    seen = await june.rehearses(noon, change_plan, ChangePlan, plan_code="pro")
    await june.does("2026-06-16T12:05", change_plan, ChangePlan, plan_code="pro", timing=timing)
    assert [one.total_minor for one in seen.billed.documents] == [1450]
    *_, applied = await june.invoices()
    assert applied.total_minor == 1450


async def test_a_day_is_the_least_that_a_seller_may_count(story):
    await story.seller(proration_granularity=Granularity.DAY)
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-01", "basic")
    # From 18:00 on the 16th. In seconds 14.25 of 30 days are left; in days the whole 16th is.
    await story.changes("2026-06-16T18:00", "pro")
    assert (await story.documents()).split("\n")[2:] == [
        "2026-06-16T18:00 invoice 15.00",
        "  basic fee back -15.00, 2026-06-16T18:00 to 2026-07-01",
        "  pro fee 30.00, 2026-06-16T18:00 to 2026-07-01",
    ]


@pytest.mark.parametrize("how", ["period_end", "invoice_now"])
async def test_a_new_version_reaches_who_is_migrated_to_it(june, how):
    await june.plan_version("basic", "36.00")
    effective = Effective.PERIOD_END if how == "period_end" else Effective.NOW
    await june.does(
        "2026-06-16",
        migrate_subscription,
        MigrateSubscription,
        version_number=2,
        timing=ChangeTiming(effective=effective),
    )
    await june.until("2026-07-01")
    # At once, the second half of June is 18.00 for 15.00.
    assert [one.subtotal_minor for one in await june.invoices()] == [
        3000,
        *([300] if how == "invoice_now" else []),
        3600,
    ]
