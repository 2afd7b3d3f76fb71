"""Is a subscription whose payment is missing charged for what it was served, and for nothing else?

The plan is 30.00 a month, and June has thirty days.
"""

from __future__ import annotations

import pytest_asyncio

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.catalog.model import Timing
from billwright.features.subscriptions.model import CancellationMode, SubscriptionState
from billwright.features.subscriptions.operations.mark_past_due import mark_past_due
from billwright.features.subscriptions.operations.mark_unpaid import mark_unpaid
from billwright.features.subscriptions.operations.recover_subscription import recover_subscription
from billwright.features.subscriptions.operations.revert_unpaid_change import revert_unpaid_change
from tests.scenarios.golden import Story, at, component, told

BASIC = ("30.00", component("storage", "3.00", timing=Timing.IN_ARREARS))


@pytest_asyncio.fixture
async def june(story):
    """A subscription since the first of June, of a fee and of storage in arrears, and no payment."""
    story.pays_promptly = False
    await story.until("2026-06-01")
    await story.plan("basic", *BASIC)
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-01", "basic")
    return story


async def missing(story: Story, when: str) -> None:
    await story.until(when)
    async with story.tenant.tx() as tx:
        assert await mark_past_due(tx, story.subscription.id, since=at(when))


async def given_up(story: Story, when: str) -> None:
    await story.until(when)
    async with story.tenant.tx() as tx:
        assert await mark_unpaid(tx, story.subscription.id)


async def come(story: Story, when: str) -> None:
    await story.until(when)
    async with story.tenant.tx() as tx:
        assert await recover_subscription(tx, story.subscription.id)


async def test_what_is_past_due_goes_on_as_if_it_were_paid(june):
    await missing(june, "2026-06-11")
    await come(june, "2026-07-05")
    assert (await june.now()).past_due_at is None
    assert await june.documents() == told("""
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 33.00
          basic storage 3.00, 2026-06-01 to 2026-07-01
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """)


async def test_what_is_unpaid_owes_what_ran_until_then_and_comes_back_in_its_period(june):
    # Storage for ten of thirty days: 1.00. From the 21st on, ten of thirty days again.
    await missing(june, "2026-06-05")
    await given_up(june, "2026-06-11")
    await come(june, "2026-06-21")
    await june.until("2026-07-02")
    assert await june.documents() == told("""
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-11 invoice 1.00
          basic storage 1.00, 2026-06-01 to 2026-06-11
        2026-07-01 invoice 31.00
          basic storage 1.00, 2026-06-21 to 2026-07-01
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """)


async def test_after_its_period_a_new_one_begins_and_what_was_not_served_is_not_charged(june):
    await missing(june, "2026-06-05")
    await given_up(june, "2026-06-11")
    await come(june, "2026-08-10")
    recovered = await june.now()
    assert (recovered.state, recovered.period.start) == (SubscriptionState.ACTIVE, at("2026-08-10"))
    assert (await june.documents()).split("\n")[4:] == [
        "2026-08-10 invoice 30.00",
        "  basic fee 30.00, 2026-08-10 to 2026-09-10",
    ]


async def test_what_is_unpaid_may_end_and_owes_nothing_more(june):
    await missing(june, "2026-06-05")
    await given_up(june, "2026-06-11")
    await june.cancels("2026-08-10", mode=CancellationMode.PERIOD_END)
    assert (await june.now()).ended_at == at("2026-08-10")
    assert len((await june.documents()).split("\n")) == 4


async def test_a_change_that_is_not_paid_was_never_made(june):
    """15 of 30 days: 30.00 for pro less 15.00 for the fee, and 1.50 for storage until then."""
    async with june.tenant.tx() as tx:
        await set_payment_method_presence(tx, june.subscription.account_id, present=True)
    await june.changes("2026-06-16", "pro")
    [_, change] = await june.invoices()
    await june.until("2026-06-20")
    async with june.tenant.tx() as tx:
        assert await revert_unpaid_change(tx, change.id)
    await june.until("2026-07-02")
    assert await june.balance() == "0.00 EUR"
    assert await june.documents() == told("""
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 16.50, void
          basic storage 1.50, 2026-06-01 to 2026-06-16
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          pro fee 30.00, 2026-06-16 to 2026-07-01
        2026-07-01 invoice 33.00
          basic storage 3.00, 2026-06-01 to 2026-07-01
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """)


async def test_an_unpaid_change_of_interval_gives_back_the_periods_that_were(june):
    """The year begins on 16 June; when it is not paid in July, that month has begun as it would have."""
    await june.plan("yearly", "300.00", every="year")
    async with june.tenant.tx() as tx:
        await set_payment_method_presence(tx, june.subscription.account_id, present=True)
    await june.changes("2026-06-16", "yearly")
    await june.until("2026-07-03")
    async with june.tenant.tx() as tx:
        assert await revert_unpaid_change(tx, (await june.invoices())[-1].id)
    await june.bill()
    assert (await june.now()).period.start == at("2026-07-01")
    assert (await june.documents()).split("\n")[-3:] == [
        "2026-07-03 invoice 33.00",
        "  basic storage 3.00, 2026-06-01 to 2026-07-01",
        "  basic fee 30.00, 2026-07-01 to 2026-08-01",
    ]
