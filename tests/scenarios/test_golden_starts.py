"""Does a subscription start when it is to, and with what it then owes?

The plan is 30.00 a month, and June has thirty days.
"""

from __future__ import annotations

import pytest

from billwright.features.catalog.model import ComponentKind, Timing
from billwright.features.promotions.model import PromotionKind
from billwright.features.subscriptions.model import (
    Activation,
    CancellationMode,
    CancellationProration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.activate_subscriptions import (
    activate_subscriptions,
)
from billwright.kernel.refusal import Refusal
from tests.features.promotions.redeeming import a_promotion
from tests.scenarios.golden import at, component, fee, told, units

LEAVES = {"mode": CancellationMode.NOW, "proration": CancellationProration.CREDIT}


async def test_a_start_in_the_past_is_billed_on_one_invoice(story):
    await story.until("2026-06-16")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-16", "basic", starts_at=at("2026-04-30"))
    assert await story.documents() == told(
        """
        2026-06-16 invoice 60.00
          basic fee 30.00, 2026-04-30 to 2026-05-30
          basic fee 30.00, 2026-05-30 to 2026-06-30
        """
    )


async def test_a_start_in_the_past_of_which_the_past_was_billed_elsewhere(story):
    await story.until("2026-06-16")
    await story.plan("basic", "30.00")
    await story.subscribes(
        "2026-06-16", "basic", starts_at=at("2024-02-29"), bills_from=at("2026-06-29")
    )
    await story.until("2026-06-29")
    # Periods still begin on the 29th, and the one that runs was billed elsewhere.
    assert await story.documents() == told(
        """
        2026-06-29 invoice 30.00
          basic fee 30.00, 2026-06-29 to 2026-07-29
        """
    )


async def test_what_is_in_arrears_was_billed_elsewhere_up_to_there_too(story):
    # Of the period up to the 29th, its storage, what is missing to the minimum of the fee, and 5 calls.
    # Of the next one 30 days of storage, 10.00 to the minimum, and 3 calls.
    await story.until("2026-06-16")
    await story.plan(
        "basic",
        fee("30.00", minimums=(("EUR", 4000),)),
        component("storage", "15.00", timing=Timing.IN_ARREARS),
        component("calls", "1.00", kind=ComponentKind.USAGE, meter="calls"),
    )
    await story.subscribes(
        "2026-06-16", "basic", starts_at=at("2024-02-29"), bills_from=at("2026-06-29")
    )
    await story.uses("2026-06-20", "5")
    await story.until("2026-06-29")
    assert [one.total_minor for one in await story.invoices()] == [3000]
    await story.uses("2026-07-20", "3")
    await story.until("2026-07-29")
    assert (await story.documents()).split("\n")[2:] == [
        "2026-07-29 invoice 58.00",
        "  basic fee minimum 10.00, 2026-06-29 to 2026-07-29",
        "  basic storage 15.00, 2026-06-29 to 2026-07-29",
        "  basic calls x 3 used 3.00, 2026-06-29 to 2026-07-29",
        "  basic fee 30.00, 2026-07-29 to 2026-08-29",
    ]


BILLED_ELSEWHERE = {"starts_at": at("2024-02-29"), "bills_from": at("2026-06-29")}


@pytest.mark.parametrize("how", ["invoice_now", "next_invoice"])
@pytest.mark.parametrize("on", [None, "2026-06-20"])
async def test_what_was_paid_elsewhere_is_not_charged_again_by_a_change(story, how, on):
    """With another seat, all seats would be: nobody here knows what the ten have cost."""
    await story.until("2026-06-16")
    await story.plan("basic", component("seat", "30.00"))
    await story.plan("pro", component("seat", "60.00"))
    await story.subscribes("2026-06-16", "basic", quantities=units(seat=10), **BILLED_ELSEWHERE)
    for change in (
        story.sets("2026-06-16", units(seat=11), how, on=on),
        story.changes("2026-06-16", "pro", how, on=on),
    ):
        with pytest.raises(Refusal) as refused:
            await change
        assert refused.value.code == "period_billed_elsewhere"
    assert (await story.now()).pending_change is None
    await story.until("2026-06-29")
    assert await story.documents() == told(
        """
        2026-06-29 invoice 300.00
          basic seat x 10 300.00, 2026-06-29 to 2026-07-29
        """
    )
    # From there on it is known.
    await story.sets("2026-07-14", units(seat=11))
    assert (await story.documents()).split("\n")[2:] == [
        "2026-07-14 invoice 15.00",
        "  basic seat x 10 back -150.00, 2026-07-14 to 2026-07-29",
        "  basic seat x 11 165.00, 2026-07-14 to 2026-07-29",
    ]


async def test_a_change_without_proration_costs_nothing_until_billing_begins(story):
    await story.until("2026-06-16")
    calls = component("calls", "1.00", kind=ComponentKind.USAGE, meter="calls")
    await story.plan("basic", "30.00")
    await story.plan("pro", fee("60.00"), calls)
    await story.subscribes("2026-06-16", "basic", **BILLED_ELSEWHERE)
    await story.changes("2026-06-16", "pro", "none")
    await story.uses("2026-06-20", "5")
    await story.until("2026-06-29")
    await story.uses("2026-07-01", "2")
    await story.until("2026-07-29")
    assert await story.documents() == told(
        """
        2026-06-29 invoice 60.00
          pro fee 60.00, 2026-06-29 to 2026-07-29
        2026-07-29 invoice 62.00
          pro calls x 2 used 2.00, 2026-06-29 to 2026-07-29
          pro fee 60.00, 2026-07-29 to 2026-08-29
        """
    )


async def test_after_a_full_reset_all_is_billed_here(story):
    await story.until("2026-06-16")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-16", "basic", **BILLED_ELSEWHERE)
    await story.changes("2026-06-16", "pro", "full_reset")
    assert (await story.now()).bills_from is None
    await story.changes("2026-07-01", "basic")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 60.00
          pro fee 60.00, 2026-06-16 to 2026-07-16
        2026-07-01 credit note -15.00, 15.00 to credit
          pro fee back -30.00, 2026-07-01 to 2026-07-16
          basic fee 15.00, 2026-07-01 to 2026-07-16
        """
    )


async def test_a_start_in_the_future_is_billed_then(story):
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic", starts_at=at("2026-06-16"))
    assert await story.documents() == ""
    await story.until("2026-06-16")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 30.00
          basic fee 30.00, 2026-06-16 to 2026-07-16
        """
    )


async def test_access_begins_with_the_first_payment(story):
    story.pays_promptly = False
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic", activation=Activation.ON_FIRST_PAYMENT)
    assert (await story.now()).state is SubscriptionState.INCOMPLETE
    await story.until("2026-06-01T22:00")
    await story.pay()
    (invoice,) = await story.invoices()
    async with story.tenant.tx() as tx:
        await activate_subscriptions(tx, invoice_ids=[invoice.id])
    assert (await story.now()).state is SubscriptionState.ACTIVE
    await story.until("2026-07-01")
    # The period begins with the subscription, not with the payment.
    assert [one.period_start for one in await story.invoices()] == [
        at("2026-06-01"),
        at("2026-07-01"),
    ]


async def test_without_a_first_payment_nothing_is_owed_after_23_hours(story):
    story.pays_promptly = False
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic", activation=Activation.ON_FIRST_PAYMENT)
    await story.until("2026-06-01T22:59")
    assert (await story.now()).state is SubscriptionState.INCOMPLETE
    await story.until("2026-08-01")
    subscription = await story.now()
    assert (subscription.state, subscription.ended_at) == (
        SubscriptionState.EXPIRED,
        at("2026-06-01T23:00"),
    )
    assert (await story.documents()).split("\n")[0] == "2026-06-01 invoice 30.00, void"
    assert len(await story.invoices()) == 1


async def test_what_has_not_begun_changes_and_ends_for_nothing(story):
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-01", "basic", starts_at=at("2026-06-16"))
    await story.changes("2026-06-05", "pro")
    await story.cancels("2026-06-10", **LEAVES)
    await story.until("2026-08-01")
    assert (await story.now()).state is SubscriptionState.CANCELED
    assert await story.documents() == ""


async def test_a_plan_that_is_changed_before_the_start_starts_as_it_is_then(story):
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.plan("yearly", "365.00", every="year")
    await story.subscribes("2026-06-01", "basic", starts_at=at("2026-06-16"))
    await story.changes("2026-06-05", "yearly")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 365.00
          yearly fee 365.00, 2026-06-16 to 2027-06-16
        """
    )


async def test_nothing_to_pay_needs_no_first_payment(story):
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    async with story.tenant.tx() as tx:
        await a_promotion(tx, "FIRST", PromotionKind.FREE_PERIODS, count=1)
    await story.subscribes(
        "2026-06-01",
        "basic",
        activation=Activation.ON_FIRST_PAYMENT,
        promotion_codes=("FIRST",),
    )
    assert (await story.now()).state is SubscriptionState.ACTIVE


async def test_a_promotion_is_not_used_up_by_what_was_billed_elsewhere(story):
    await story.until("2026-06-16")
    await story.plan("basic", "30.00")
    async with story.tenant.tx() as tx:
        await a_promotion(tx, "FIRST", PromotionKind.FREE_PERIODS, count=1)
    await story.subscribes(
        "2026-06-16",
        "basic",
        starts_at=at("2026-04-01"),
        bills_from=at("2026-06-01"),
        promotion_codes=("FIRST",),
    )
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 0.00
          basic fee 0.00 (30.00 less 30.00), 2026-06-01 to 2026-07-01
        2026-07-01 invoice 30.00
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """
    )


@pytest.mark.parametrize("starts_at", ["2026-04-01", "2026-07-01"])
async def test_billing_does_not_begin_later_than_with_the_next_period(story, starts_at):
    # Whatever is due on 1 July is billed then, so that nobody is promised that it is not.
    await story.until("2026-06-16")
    await story.plan("basic", "30.00")
    with pytest.raises(Refusal) as refused:
        await story.subscribes(
            "2026-06-16", "basic", starts_at=at(starts_at), bills_from=at("2026-08-01")
        )
    assert refused.value.code == "bills_from_invalid"
    await story.subscribes(
        "2026-06-16", "basic", starts_at=at(starts_at), bills_from=at("2026-07-01")
    )
    await story.until("2026-07-01")
    assert [one.period_start for one in await story.invoices()] == [at("2026-07-01")]
