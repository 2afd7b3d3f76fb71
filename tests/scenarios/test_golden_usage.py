"""Is what was used owed once, at the price and with the free units of its time?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billwright.features.catalog.model import ComponentKind, PlanTerms, Timing
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.subscriptions.model import CancellationMode
from tests.scenarios.golden import component, fee, told


def calls(price: str, **changes: Any) -> NewComponent:
    """What each call costs."""
    return component("calls", price, kind=ComponentKind.USAGE, meter="calls", **changes)


async def test_half_a_period_has_half_of_the_free_units_and_half_of_the_minimum(story):
    # Canceled in the middle of June. Of 12 calls one is free: 11 x 1.00. Half of 50.00 is 25.00, of
    # which 14.00 are missing.
    await story.until("2026-06-01")
    await story.plan("api", calls("1.00", free_units=Decimal(2), minimums=(("EUR", 5000),)))
    await story.subscribes("2026-06-01", "api")
    await story.uses("2026-06-02", "12")
    await story.cancels("2026-06-16", mode=CancellationMode.NOW)
    assert await story.documents() == told(
        """
        2026-06-16 invoice 25.00
          api calls x 12 used 11.00, 2026-06-01 to 2026-06-16
          api calls minimum 14.00, 2026-06-01 to 2026-06-16
        """
    )


async def test_final_usage_may_be_left_out(story):
    await story.until("2026-06-01")
    await story.plan(
        "api",
        calls("1.00"),
        component("storage", "30", timing=Timing.IN_ARREARS),
    )
    await story.subscribes("2026-06-01", "api")
    await story.uses("2026-06-02", "12")
    await story.cancels("2026-06-16", mode=CancellationMode.NOW, bills_final_usage=False)
    assert await story.documents() == told(
        """
        2026-06-16 invoice 15.00
          api storage 15.00, 2026-06-01 to 2026-06-16
        """
    )


async def test_usage_before_and_after_a_change_has_the_price_of_its_time(story):
    # 100 calls at 0.10 before, 100 at 0.05 after the change: 10.00 and 5.00.
    await story.until("2026-06-01")
    await story.plan("basic", fee("30.00"), calls("0.10"))
    await story.plan("pro", fee("60.00"), calls("0.05"))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-10", "100")
    await story.changes("2026-06-16", "pro")
    await story.uses("2026-06-20", "100")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 25.00
          basic calls x 100 used 10.00, 2026-06-01 to 2026-06-16
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          pro fee 30.00, 2026-06-16 to 2026-07-01
        2026-07-01 invoice 65.00
          pro calls x 100 used 5.00, 2026-06-16 to 2026-07-01
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_usage_has_the_price_of_its_time_even_when_the_fee_changes_for_nothing(story):
    # 5 x 1.00 until the 11th, 7 x 2.00 since; the fee is another from July on.
    await story.until("2026-06-01")
    await story.plan("basic", fee("30.00"), calls("1.00"))
    await story.plan("pro", fee("60.00"), calls("2.00"))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "5")
    await story.changes("2026-06-11", "pro", "none")
    await story.uses("2026-06-15", "7")
    await story.until("2026-07-01")
    assert (await story.documents()).split("\n")[2:] == [
        "2026-07-01 invoice 79.00",
        "  basic calls x 5 used 5.00, 2026-06-01 to 2026-06-11",
        "  pro calls x 7 used 14.00, 2026-06-11 to 2026-07-01",
        "  pro fee 60.00, 2026-07-01 to 2026-08-01",
    ]


async def test_usage_of_a_period_that_ends_with_a_change_has_the_old_price(story):
    await story.until("2026-06-01")
    await story.plan("basic", calls("1.00"))
    await story.plan("pro", calls("2.00"))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "5")
    await story.changes("2026-06-11", "pro", "period_end")
    await story.uses("2026-06-15", "7")
    await story.until("2026-07-01")
    assert [one.subtotal_minor for one in await story.invoices()] == [1200]


async def test_a_reset_does_not_multiply_free_units(story):
    # 10 calls a month are free, so 5 in half of June: 15 - 5 = 10 at 1.00. The new period is whole:
    # 15 - 10 = 5 at 2.00.
    await story.until("2026-06-01")
    await story.plan("basic", calls("1.00", free_units=Decimal(10)))
    await story.plan("pro", calls("2.00", free_units=Decimal(10)))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "15")
    await story.changes("2026-06-16", "pro", "full_reset")
    await story.uses("2026-06-20", "15")
    await story.until("2026-07-16")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 10.00
          basic calls x 15 used 10.00, 2026-06-01 to 2026-06-16
        2026-07-16 invoice 10.00
          pro calls x 15 used 10.00, 2026-06-16 to 2026-07-16
        """
    )


async def test_usage_in_a_trial_is_free(story):
    await story.until("2026-06-01")
    await story.plan("basic", calls("1.00"), terms=PlanTerms(trial_days=10))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "5")
    await story.uses("2026-06-15", "7")
    await story.until("2026-07-11")
    assert await story.documents() == told(
        """
        2026-07-11 invoice 7.00
          basic calls x 7 used 7.00, 2026-06-11 to 2026-07-11
        """
    )


async def test_usage_in_a_pause_is_not_owed(story):
    await story.until("2026-06-01")
    await story.plan("basic", calls("1.00"))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "5")
    await story.pauses("2026-06-11")
    await story.uses("2026-06-15", "7")
    await story.resumes("2026-06-21")
    await story.uses("2026-06-25", "9")
    await story.until("2026-07-01")
    assert [one.subtotal_minor for one in await story.invoices()] == [500, 900]


async def test_usage_that_is_mended_to_less_than_nothing_costs_nothing(story):
    await story.until("2026-06-01")
    await story.plan("basic", calls("1.00"))
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "5")
    await story.uses("2026-06-06", "-8")
    await story.until("2026-07-02")
    assert await story.documents() == ""
