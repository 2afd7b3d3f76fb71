"""Do trials and pauses cost what they cost by hand?

The plan is 30.00 a month, and June has thirty days.
"""

from __future__ import annotations

import pytest
import pytest_asyncio

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.catalog.model import PlanTerms, Timing, TrialEndBehavior
from billwright.features.subscriptions.model import (
    PauseProration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.change_trial import (
    EndTrial,
    ExtendTrial,
    end_trial,
    extend_trial,
)
from tests.scenarios.golden import Story, at, component, told

CREDIT = PauseProration.CREDIT
TWO_WEEKS = PlanTerms(trial_days=14)


@pytest_asyncio.fixture
async def june(story):
    """A subscription since the first of June."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic")
    return story


async def tries(story: Story, behavior: TrialEndBehavior) -> None:
    await story.until("2026-06-01")
    await story.plan("basic", "30.00", terms=PlanTerms(trial_days=14, trial_end_behavior=behavior))
    await story.subscribes("2026-06-01", "basic")


async def has_payment_method(story: Story) -> None:
    async with story.tenant.tx() as tx:
        await set_payment_method_presence(tx, story.subscription.account_id, present=True)


PAID = """
    2026-06-15 invoice 30.00
      basic fee 30.00, 2026-06-15 to 2026-07-15
    2026-07-15 invoice 30.00
      basic fee 30.00, 2026-07-15 to 2026-08-15
    """


@pytest.mark.parametrize("behavior", list(TrialEndBehavior))
async def test_a_trial_that_can_be_paid_for_becomes_a_subscription(story, behavior):
    await tries(story, behavior)
    await has_payment_method(story)
    await story.until("2026-07-15")
    assert await story.documents() == told(PAID)


async def test_a_trial_without_a_payment_method_is_invoiced(story):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.until("2026-07-15")
    assert await story.documents() == told(PAID)


async def test_a_trial_without_a_payment_method_waits(story):
    await tries(story, TrialEndBehavior.PAUSE)
    await story.until("2026-06-20")
    assert (await story.now()).state is SubscriptionState.PAUSED
    await has_payment_method(story)
    await story.resumes("2026-06-20")
    assert await story.documents() == told(
        """
        2026-06-20 invoice 30.00
          basic fee 30.00, 2026-06-20 to 2026-07-20
        """
    )


async def test_a_trial_without_a_payment_method_ends(story):
    await tries(story, TrialEndBehavior.CANCEL)
    await story.until("2026-07-15")
    assert (await story.now()).state is SubscriptionState.CANCELED
    assert await story.documents() == ""


async def test_a_trial_is_extended(story):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.does("2026-06-10", extend_trial, ExtendTrial, trial_end=at("2026-06-20"))
    await story.until("2026-06-20")
    assert await story.documents() == told(
        """
        2026-06-20 invoice 30.00
          basic fee 30.00, 2026-06-20 to 2026-07-20
        """
    )


async def test_a_trial_is_ended_before_its_time(story):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.does("2026-06-10", end_trial, EndTrial)
    await story.until("2026-07-09")
    assert await story.documents() == told(
        """
        2026-06-10 invoice 30.00
          basic fee 30.00, 2026-06-10 to 2026-07-10
        """
    )


@pytest.mark.parametrize(
    ("days", "begins"),
    [
        (30, "2026-07-01"),  # counted from where the trial began
        (10, "2026-06-11"),
        (7, "2026-06-08"),  # has passed: now
        (0, "2026-06-08"),
    ],
)
async def test_another_plan_in_a_trial_has_a_trial_of_its_own_length(story, days, begins):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.plan("pro", "60.00", terms=PlanTerms(trial_days=days))
    await story.changes("2026-06-08", "pro")
    await story.until("2026-07-01")
    assert (await story.documents()).split("\n")[0] == f"{begins} invoice 60.00"


async def test_a_change_that_waits_for_the_end_of_a_trial_waits_for_a_later_one(story):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.plan("pro", "60.00")
    await story.changes("2026-06-08", "pro", "period_end")
    await story.does("2026-06-10", extend_trial, ExtendTrial, trial_end=at("2026-06-20"))
    await story.until("2026-06-30")
    assert await story.documents() == told(
        """
        2026-06-20 invoice 60.00
          pro fee 60.00, 2026-06-20 to 2026-07-20
        """
    )


async def test_a_change_at_an_instant_of_a_trial_does_not_end_the_trial(story):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.plan("pro", "60.00", terms=TWO_WEEKS)
    await story.changes("2026-06-02", "pro", on="2026-06-05")
    await story.until("2026-06-30")
    assert await story.documents() == told(
        """
        2026-06-15 invoice 60.00
          pro fee 60.00, 2026-06-15 to 2026-07-15
        """
    )


async def test_a_trial_of_days_with_a_clock_change_ends_at_the_same_time_of_day(story):
    # 7 days from 25 March, 9:30 in Berlin (8:30 UTC), to 1 April, 9:30 (7:30 UTC).
    await story.customer(zone="Europe/Berlin")
    await story.until("2026-03-25T08:30")
    await story.plan("basic", "30.00", terms=PlanTerms(trial_days=7))
    await story.subscribes("2026-03-25T08:30", "basic")
    await story.until("2026-04-02")
    assert (await story.documents()).split("\n")[0] == "2026-04-01T07:30 invoice 30.00"


async def test_a_pause_within_a_period_costs_and_gives_nothing(june):
    await june.pauses("2026-06-11")
    await june.resumes("2026-06-21")
    await june.until("2026-07-01")
    assert [one.period_start for one in await june.invoices()] == [
        at("2026-06-01"),
        at("2026-07-01"),
    ]


async def test_after_a_longer_pause_a_new_period_begins(june):
    await june.pauses("2026-06-11")
    await june.resumes("2026-07-11")
    await june.until("2026-08-11")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-11 invoice 30.00
          basic fee 30.00, 2026-07-11 to 2026-08-11
        2026-08-11 invoice 30.00
          basic fee 30.00, 2026-08-11 to 2026-09-11
        """
    )


async def test_a_pause_with_credit_begins_anew_even_within_the_period(june):
    # 15.00 of the half that is left; the next period begins with the resumption.
    await june.pauses("2026-06-16", proration=CREDIT)
    await june.resumes("2026-06-21")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 credit note -15.00, 15.00 to credit
          basic fee back -15.00, 2026-06-16 to 2026-07-01
        2026-06-21 invoice 30.00, 15.00 from credit
          basic fee 30.00, 2026-06-21 to 2026-07-21
        """
    )


async def test_a_pause_ends_by_itself(june):
    await june.pauses("2026-06-16", resumes_at=at("2026-07-05"))
    await june.until("2026-07-06")
    assert [one.period_start for one in await june.invoices()] == [
        at("2026-06-01"),
        at("2026-07-05"),
    ]


async def test_a_pause_of_what_runs_in_arrears_is_not_owed(story):
    # 10 days before and 10 after the pause: 10.00 each.
    await story.until("2026-06-01")
    await story.plan("basic", component("hours", "30.00", timing=Timing.IN_ARREARS))
    await story.subscribes("2026-06-01", "basic")
    await story.pauses("2026-06-11")
    await story.resumes("2026-06-21")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-11 invoice 10.00
          basic hours 10.00, 2026-06-01 to 2026-06-11
        2026-07-01 invoice 10.00
          basic hours 10.00, 2026-06-21 to 2026-07-01
        """
    )


async def test_a_trial_that_is_paused_is_over(story):
    await tries(story, TrialEndBehavior.CREATE_INVOICE)
    await story.pauses("2026-06-08")
    await story.resumes("2026-06-10")
    assert await story.documents() == told(
        """
        2026-06-10 invoice 30.00
          basic fee 30.00, 2026-06-10 to 2026-07-10
        """
    )
