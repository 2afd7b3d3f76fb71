"""Does a subscription end when it may, and with the money that by hand is left?

The plan is 30.00 a month, and June has thirty days.
"""

from __future__ import annotations

import pytest
import pytest_asyncio

from billwright.features.catalog.model import PlanTerms, Timing
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationProration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import Terms
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.features.subscriptions.operations.undo import (
    UndoCancellation,
    UndoChange,
    undo_cancellation,
    undo_change,
)
from tests.scenarios.golden import Story, at, component, fee, told, units

NOW = CancellationMode.NOW
PERIOD_END = CancellationMode.PERIOD_END
CREDIT = CancellationProration.CREDIT
REFUND = CancellationProration.REFUND
JUNE = """
    2026-06-01 invoice 30.00
      basic fee 30.00, 2026-06-01 to 2026-07-01
    """


@pytest_asyncio.fixture
async def june(story):
    """A subscription since the first of June."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic")
    return story


async def with_terms(story: Story, **terms: int | bool) -> Story:
    """The same with terms for its end."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00", terms=PlanTerms(**terms))
    await story.subscribes("2026-06-01", "basic")
    return story


async def ended_at(story: Story) -> str:
    subscription = await story.now()
    assert subscription.state is SubscriptionState.CANCELED
    assert subscription.ended_at is not None
    return subscription.ended_at.date().isoformat()


async def test_now_and_nothing_comes_back(june):
    await june.cancels("2026-06-16", mode=NOW)
    await june.until("2026-09-01")
    assert await ended_at(june) == "2026-06-16"
    assert await june.documents() == told(JUNE)


async def test_now_and_the_rest_is_credit(june):
    # 15 of 30 days: 15.00. Another subscription in July takes it.
    await june.cancels("2026-06-16", mode=NOW, proration=CREDIT)
    await june.subscribes("2026-07-01", "basic")
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-16 credit note -15.00, 15.00 to credit",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
        "2026-07-01 invoice 30.00, 15.00 from credit",
        "  basic fee 30.00, 2026-07-01 to 2026-08-01",
    ]


async def test_now_and_the_rest_is_paid_back(june):
    await june.cancels("2026-06-16", mode=NOW, proration=REFUND)
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-16 credit note -15.00, 15.00 to refund",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
    ]
    assert await june.balance() == "0.00 EUR"


async def test_no_more_is_paid_back_than_came_as_money(june):
    # The upgrade cost 15.00 in money; the other 15.00 of pro were paid with what was left of basic.
    # Of the 20.00 that come back on the 21st, 15.00 can be paid back.
    await june.plan("pro", "60.00")
    await june.changes("2026-06-16", "pro")
    await june.cancels("2026-06-21", mode=NOW, proration=REFUND)
    assert (await june.documents()).split("\n")[-2:] == [
        "2026-06-21 credit note -20.00, 5.00 to credit, 15.00 to refund",
        "  pro fee back -20.00, 2026-06-21 to 2026-07-01",
    ]


async def test_what_was_paid_on_two_invoices_is_paid_back(story):
    # The fee on one invoice, more seats on another; half of the month is left: 15.00 and 20.00, of
    # which 13.33 came as money.
    await story.until("2026-06-01")
    await story.plan("team", fee("30.00"), component("seats", "10.00"))
    await story.subscribes("2026-06-01", "team", quantities=units(seats=1))
    await story.sets("2026-06-11", units(seats=4))
    await story.cancels("2026-06-16", mode=NOW, proration=REFUND)
    notes = [one for one in await story.invoices() if one.total_minor < 0]
    assert sum(one.total_minor for one in notes) == -3500
    assert sum(one.to_refund_minor for one in notes) >= 2833


async def test_what_was_not_paid_is_not_due_any_more(june):
    # June is paid, July is not. Who leaves on 16 July has 16 of 31 days back, 15.48: that much less
    # is due.
    june.pays_promptly = False
    await june.cancels("2026-07-16", mode=NOW, proration=REFUND)
    assert (await june.documents()).split("\n")[-2:] == [
        "2026-07-16 credit note -15.48, 15.48 off what is due",
        "  basic fee back -15.48, 2026-07-16 to 2026-08-01",
    ]
    assert [one.due_minor for one in await june.invoices()] == [0, 1452, 0]


async def test_at_the_end_of_the_period(june):
    await june.cancels("2026-06-16", mode=PERIOD_END, proration=CREDIT)
    await june.until("2026-09-01")
    assert await ended_at(june) == "2026-07-01"
    assert await june.documents() == told(JUNE)


async def test_the_end_of_the_period_moves_with_the_period(june):
    # The yearly fee is charged on the 16th, and the half of June comes back: 365.00 - 15.00. The
    # subscription was to end with its period, which is the year now.
    await june.plan("yearly", "365.00", every="year")
    await june.cancels("2026-06-02", mode=PERIOD_END)
    await june.changes("2026-06-16", "yearly")
    await june.until("2028-01-01")
    assert await ended_at(june) == "2027-06-16"
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-16 invoice 350.00",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
        "  yearly fee 365.00, 2026-06-16 to 2027-06-16",
    ]


async def test_at_an_instant_of_a_later_period(june):
    # 16 July: 16 of 31 days are left of 30.00, 15.4839.
    await june.cancels(
        "2026-06-16", mode=CancellationMode.AT, cancel_at=at("2026-07-16"), proration=CREDIT
    )
    await june.until("2026-09-01")
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 30.00
          basic fee 30.00, 2026-07-01 to 2026-08-01
        2026-07-16 credit note -15.48, 15.48 to credit
          basic fee back -15.48, 2026-07-16 to 2026-08-01
        """
    )


async def test_what_runs_in_arrears_is_owed_to_the_end(story):
    await story.until("2026-06-01")
    await story.plan("basic", component("hours", "30.00", timing=Timing.IN_ARREARS))
    await story.subscribes("2026-06-01", "basic")
    await story.cancels("2026-07-17", mode=NOW)  # 16 of 31 days
    assert await story.documents() == told(
        """
        2026-07-01 invoice 30.00
          basic hours 30.00, 2026-06-01 to 2026-07-01
        2026-07-17 invoice 15.48
          basic hours 15.48, 2026-07-01 to 2026-07-17
        """
    )


async def test_notice_is_served_before_the_end(story):
    # 30 days from 16 June are over on 16 July, 16 of 31 days before the end of that period.
    await with_terms(story, notice_days=30)
    await story.cancels("2026-06-16", mode=NOW, proration=CREDIT)
    await story.until("2026-09-01")
    assert await ended_at(story) == "2026-07-16"
    assert [one.subtotal_minor for one in await story.invoices()] == [3000, 3000, -1548]


async def test_notice_to_the_end_of_a_period(story):
    await with_terms(story, notice_days=30, ends_at_period_end=True)
    await story.cancels("2026-06-16", mode=NOW, proration=CREDIT)
    await story.until("2026-09-01")
    assert await ended_at(story) == "2026-08-01"
    assert [one.subtotal_minor for one in await story.invoices()] == [3000, 3000]


async def test_a_commitment_holds_however_early_somebody_asks(story):
    # 90 days from 1 June are over on 30 August, when 2 of 31 days are left: 30.00 x 2/31 = 1.9355.
    await with_terms(story, commitment_days=90)
    await story.cancels("2026-06-02", mode=NOW, proration=CREDIT)
    await story.until("2026-10-01")
    assert await ended_at(story) == "2026-08-30"
    assert [one.subtotal_minor for one in await story.invoices()] == [3000, 3000, 3000, -194]


async def test_a_seller_waives_what_was_agreed(story):
    await with_terms(story, notice_days=30, commitment_days=365, ends_at_period_end=True)
    await story.cancels("2026-06-16", mode=NOW, proration=CREDIT, terms=Terms.WAIVE)
    assert await ended_at(story) == "2026-06-16"
    assert [one.subtotal_minor for one in await story.invoices()] == [3000, -1500]


async def test_a_cancellation_that_is_undone_changes_nothing(june):
    await june.cancels("2026-06-16", mode=PERIOD_END, proration=CREDIT)
    await june.does("2026-06-20", undo_cancellation, UndoCancellation)
    await june.until("2026-07-01")
    assert [one.subtotal_minor for one in await june.invoices()] == [3000, 3000]


async def test_a_change_that_is_undone_costs_nothing(june):
    await june.plan("pro", "60.00")
    await june.changes("2026-06-10", "pro", on="2026-06-16")
    await june.does("2026-06-12", undo_change, UndoChange)
    await june.until("2026-07-01")
    assert [one.subtotal_minor for one in await june.invoices()] == [3000, 3000]


async def test_a_cancellation_takes_the_place_of_a_change(june):
    await june.plan("pro", "60.00")
    await june.changes("2026-06-10", "pro", on="2026-06-16")
    await june.cancels("2026-06-12", mode=PERIOD_END)
    await june.until("2026-09-01")
    assert await june.documents() == told(JUNE)


async def test_a_subscription_that_does_not_renew_ends_with_its_period(june):
    await june.does("2026-06-16", set_renewal, SetRenewal, renews=False)
    await june.until("2026-09-01")
    assert await ended_at(june) == "2026-07-01"
    assert await june.documents() == told(JUNE)


async def test_renewal_is_turned_on_again_in_time(june):
    await june.does("2026-06-16", set_renewal, SetRenewal, renews=False)
    await june.does("2026-06-30", set_renewal, SetRenewal, renews=True)
    await june.until("2026-07-01")
    assert [one.subtotal_minor for one in await june.invoices()] == [3000, 3000]


async def test_no_more_comes_back_than_is_left_of_what_was_charged(june):
    # 20.00 were given back by hand, so that of the 15.00 that are not used 10.00 are left.
    (invoice,) = await june.invoices()
    await june.until("2026-06-10")
    async with june.tenant.tx() as tx:
        await credit_invoice(
            tx, CreditInvoice(invoice_id=invoice.id, reason="Goodwill", amount_minor=2000)
        )
    await june.cancels("2026-06-16", mode=NOW, proration=CREDIT)
    *_, last = await june.invoices()
    assert (last.subtotal_minor, last.kind) == (-1000, "credit_note")


async def test_a_downgrade_pays_back_no_more_than_was_paid_for_the_upgrade(june):
    # Upgrade on the 16th, 15.00 back and 30.00 ahead; down to a free plan on the 26th, with 5 of 30
    # days left: 60.00 x 5/30 = 10.00 back, whoever was a customer of the dearer plan how briefly.
    await june.plan("pro", "60.00")
    await june.plan("free", "0.00")
    await june.changes("2026-06-16", "pro")
    await june.changes("2026-06-26", "free")
    await june.until("2026-07-01")
    assert [one.subtotal_minor for one in await june.invoices()] == [3000, 1500, -1000, 0]


@pytest.mark.parametrize(
    "proration",
    [
        CREDIT,
        CancellationProration.NONE,
    ],
)
async def test_a_change_that_waits_for_its_invoice_is_settled_by_the_end(june, proration):
    # pro for the rest of June, 30.00 - 15.00, waits for July. Who leaves on the 21st pays it now,
    # and has 10 of 15 days of pro back if that is agreed: 20.00.
    await june.plan("pro", "60.00")
    await june.changes("2026-06-16", "pro", "next_invoice")
    await june.cancels("2026-06-21", mode=NOW, proration=proration)
    await june.until("2026-07-01")
    async with june.tenant.tx() as tx:
        owed = await tx.fetch_value("select sum(amount_minor) from charge")
        waiting = await tx.fetch_value("select count(*) from charge where invoice_id is null")
    assert owed == (2500 if proration is CREDIT else 4500)
    assert waiting == 0


async def test_the_fee_of_a_plan_with_two_currencies_is_given_back_in_the_one_that_was_paid(story):
    await story.until("2026-06-01")
    prices = (*fee("30.00").prices, *fee("45.00", currency="USD").prices)
    both = NewComponent(code="fee", name="Fee", prices=prices)
    await story.plan("basic", both)
    await story.subscribes("2026-06-01", "basic", currency="USD")
    await story.cancels("2026-06-16", mode=NOW, proration=CREDIT)
    assert await story.balance("USD") == "22.50 USD"
    assert await story.balance("EUR") == "0.00 EUR"
