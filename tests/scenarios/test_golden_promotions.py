"""Does a promotion take off what it is worth, and no more, when plans change under it?

The plans are 30.00 and 60.00 a month, June has thirty days, and the upgrade comes in its middle.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.promotions.model import Duration, PromotionKind
from billwright.features.subscriptions.model import CancellationMode, CancellationProration
from billwright.kernel.proration import Granularity
from tests.features.promotions.redeeming import a_promotion
from tests.scenarios.golden import Story, fee, told


async def with_promotion(story: Story, kind: PromotionKind, **worth: Any) -> Story:
    """A subscription to the basic plan since the first of June."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    async with story.tenant.tx() as tx:
        await a_promotion(tx, "SPRING", kind, **worth)
    await story.subscribes("2026-06-01", "basic", promotion_codes=("SPRING",))
    return story


async def left(story: Story) -> Any:
    async with story.tenant.tx() as tx:
        return await tx.fetch_row(
            """select state, remaining_minor, remaining_periods, remaining_seconds, last_period_start
               from redemption"""
        )


async def test_a_share_of_two_periods(story):
    # Of the 15.00 that are given back 3.00 were never paid. The upgrade is in the first period.
    await with_promotion(
        story, PromotionKind.PERCENTAGE, duration=Duration.PERIODS, duration_periods=2
    )
    await story.changes("2026-06-16", "pro")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 24.00
          basic fee 24.00 (30.00 less 6.00), 2026-06-01 to 2026-07-01
        2026-06-16 invoice 12.00
          basic fee back -12.00 (-15.00 less -3.00), 2026-06-16 to 2026-07-01
          pro fee 24.00 (30.00 less 6.00), 2026-06-16 to 2026-07-01
        2026-07-01 invoice 48.00
          pro fee 48.00 (60.00 less 12.00), 2026-07-01 to 2026-08-01
        2026-08-01 invoice 60.00
          pro fee 60.00, 2026-08-01 to 2026-09-01
        """
    )


async def test_an_amount_that_is_given_once(story):
    # 50.00: 30.00 in June, of which 15.00 come back with the upgrade, which takes 30.00; then 5.00.
    await with_promotion(story, PromotionKind.FIXED_AMOUNT)
    await story.changes("2026-06-16", "pro")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 0.00
          basic fee 0.00 (30.00 less 30.00), 2026-06-01 to 2026-07-01
        2026-06-16 invoice 0.00
          basic fee back 0.00 (-15.00 less -15.00), 2026-06-16 to 2026-07-01
          pro fee 0.00 (30.00 less 30.00), 2026-06-16 to 2026-07-01
        2026-07-01 invoice 55.00
          pro fee 55.00 (60.00 less 5.00), 2026-07-01 to 2026-08-01
        """
    )
    assert (await left(story))["remaining_minor"] == 0


async def test_an_amount_in_each_of_two_periods(story):
    # 20.00 in June: of what is not used 10.00 come back, and the upgrade takes those.
    await with_promotion(
        story,
        PromotionKind.FIXED_AMOUNT,
        amount_minor=2000,
        duration=Duration.PERIODS,
        duration_periods=2,
    )
    await story.changes("2026-06-16", "pro")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 10.00
          basic fee 10.00 (30.00 less 20.00), 2026-06-01 to 2026-07-01
        2026-06-16 invoice 15.00
          basic fee back -5.00 (-15.00 less -10.00), 2026-06-16 to 2026-07-01
          pro fee 20.00 (30.00 less 10.00), 2026-06-16 to 2026-07-01
        2026-07-01 invoice 40.00
          pro fee 40.00 (60.00 less 20.00), 2026-07-01 to 2026-08-01
        2026-08-01 invoice 60.00
          pro fee 60.00, 2026-08-01 to 2026-09-01
        """
    )


async def test_a_free_period_stays_free_when_the_plan_changes_in_it(story):
    await with_promotion(story, PromotionKind.FREE_PERIODS, count=1)
    await story.changes("2026-06-16", "pro")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 0.00
          basic fee 0.00 (30.00 less 30.00), 2026-06-01 to 2026-07-01
        2026-06-16 invoice 0.00
          basic fee back 0.00 (-15.00 less -15.00), 2026-06-16 to 2026-07-01
          pro fee 0.00 (30.00 less 30.00), 2026-06-16 to 2026-07-01
        2026-07-01 invoice 60.00
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_free_days_that_are_left_go_on_in_the_other_plan(story):
    # 20 days: 20.00 of June. On the 16th 15 days are used up, and 5 are left. What is given back is
    # worth 15.00, less 5.00 for them; the upgrade is 30.00 for 15 days, less 10.00 for 5 of them.
    await with_promotion(story, PromotionKind.FREE_DAYS, count=20)
    await story.changes("2026-06-16", "pro")
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 10.00
          basic fee 10.00 (30.00 less 20.00), 2026-06-01 to 2026-07-01
        2026-06-16 invoice 10.00
          basic fee back -10.00 (-15.00 less -5.00), 2026-06-16 to 2026-07-01
          pro fee 20.00 (30.00 less 10.00), 2026-06-16 to 2026-07-01
        2026-07-01 invoice 60.00
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )
    assert (await left(story))["remaining_seconds"] == 0


async def test_free_days_are_counted_as_parts_are(story):
    # Days: on the 15th at six in the evening 14 are used up, and 6 are left. What is given back is worth
    # 16.00, less 6.00; the upgrade is 32.00 for 16 days, less 12.00. It is withdrawn, and they come back.
    await story.seller(proration_granularity=Granularity.DAY)
    story.pays_promptly = False
    await with_promotion(story, PromotionKind.FREE_DAYS, count=20)
    await story.changes("2026-06-15T18:00", "pro")
    assert (await story.documents()).split("\n")[-3:] == [
        "2026-06-15T18:00 invoice 10.00",
        "  basic fee back -10.00 (-16.00 less -6.00), 2026-06-15T18:00 to 2026-07-01",
        "  pro fee 20.00 (32.00 less 12.00), 2026-06-15T18:00 to 2026-07-01",
    ]
    assert (await left(story))["remaining_seconds"] == 0
    async with story.tenant.tx() as tx:
        upgrade = (await story.invoices())[-1]
        await void_invoice(tx, VoidInvoice(invoice_id=upgrade.id, reason="A mistake"))
    assert (await left(story))["remaining_seconds"] == 6 * 86_400


async def test_who_leaves_after_the_free_days_has_paid_days_back_in_full(story):
    # 10 days are free and 20.00 are paid for the others, of which 15 are left on the 16th: 15.00.
    await with_promotion(story, PromotionKind.FREE_DAYS, count=10)
    await story.cancels(
        "2026-06-16", mode=CancellationMode.NOW, proration=CancellationProration.CREDIT
    )
    assert (await story.documents()).split("\n")[-2:] == [
        "2026-06-16 credit note -15.00, 15.00 to credit",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
    ]


@pytest.mark.parametrize(
    ("days", "percent", "paid", "back"),
    [
        # 10.00 are free, 20 % of the other 20.00 is 4.00. Of these 15.00 are left, and 3.00 of 4.00.
        (10, 20, 1600, -1200),
        # 20.00 are free, half of the other 10.00 is 5.00. All that was paid was for later.
        (20, 50, 500, -500),
    ],
)
async def test_who_leaves_has_back_what_was_paid_for_later(story, *, days, percent, paid, back):
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    async with story.tenant.tx() as tx:
        await a_promotion(tx, "DAYS", PromotionKind.FREE_DAYS, count=days)
        await a_promotion(tx, "SHARE", PromotionKind.PERCENTAGE, percent=Decimal(percent))
    await story.subscribes("2026-06-01", "basic", promotion_codes=("DAYS", "SHARE"))
    await story.cancels(
        "2026-06-16", mode=CancellationMode.NOW, proration=CancellationProration.CREDIT
    )
    assert [one.total_minor for one in await story.invoices()] == [paid, back]


async def test_free_days_over_two_periods(story):
    # 45 days are June and half of July, 15 of 31 days: 30.00 x 15/31 = 14.5161.
    await with_promotion(story, PromotionKind.FREE_DAYS, count=45)
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 0.00
          basic fee 0.00 (30.00 less 30.00), 2026-06-01 to 2026-07-01
        2026-07-01 invoice 15.48
          basic fee 15.48 (30.00 less 14.52), 2026-07-01 to 2026-08-01
        2026-08-01 invoice 30.00
          basic fee 30.00, 2026-08-01 to 2026-09-01
        """
    )


@pytest.mark.parametrize(
    ("kind", "worth"),
    [
        (PromotionKind.PERCENTAGE, {"percent": Decimal("33.3333"), "duration": Duration.FOREVER}),
        (PromotionKind.FIXED_AMOUNT, {}),
        (PromotionKind.FREE_PERIODS, {"count": 1}),
        (PromotionKind.FREE_DAYS, {"count": 20}),
    ],
)
async def test_there_and_back_costs_no_promotion(story, kind, worth):
    await with_promotion(story, kind, **worth)
    before = await left(story)
    await story.changes("2026-06-17T13:14", "pro")
    await story.changes("2026-06-17T13:14", "basic")
    assert sum(one.total_minor for one in (await story.invoices())[1:]) == 0
    assert await left(story) == before


async def test_only_what_was_paid_comes_back(story):
    # 15.00 of 30.00 were paid, half of which was not used: 7.50.
    await with_promotion(story, PromotionKind.PERCENTAGE, percent=Decimal(50))
    await story.plan("free", fee("0.00"))
    await story.changes("2026-06-16", "free")
    assert (await story.documents()).split("\n")[-3:] == [
        "2026-06-16 credit note -7.50, 7.50 to credit",
        "  basic fee back -7.50 (-15.00 less -7.50), 2026-06-16 to 2026-07-01",
        "  free fee 0.00, 2026-06-16 to 2026-07-01",
    ]


async def test_promotions_stack_in_their_order(story):
    # A tenth of 30.00 is 3.00, then 5.00 are taken off the 27.00 that are left.
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    async with story.tenant.tx() as tx:
        await a_promotion(tx, "FIVE", PromotionKind.FIXED_AMOUNT, amount_minor=500)
        await a_promotion(tx, "TENTH", PromotionKind.PERCENTAGE, percent=Decimal(10))
    await story.subscribes("2026-06-01", "basic", promotion_codes=("FIVE", "TENTH"))
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 22.00
          basic fee 22.00 (30.00 less 8.00), 2026-06-01 to 2026-07-01
        2026-07-01 invoice 30.00
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """
    )
