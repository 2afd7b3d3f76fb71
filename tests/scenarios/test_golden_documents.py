"""Do charges come on the right document, once, and add up to the cent?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from billwright.features.accounts.model import Collection
from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.finalize_invoice import (
    finalize_invoice,
)
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.rules.credit_note import CreditLine
from billwright.features.invoicing.sql.reads import lines_of
from billwright.features.subscriptions.model import (
    Activation,
    CancellationMode,
    CancellationProration,
    CollectionPause,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.renew_subscription import (
    RenewSubscription,
    renew_subscription,
)
from billwright.features.subscriptions.operations.set_renewal import SetCollection, set_collection
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from tests.scenarios.golden import Story, at, component, told

END = "2026-06-16"
LEAVES = {"mode": CancellationMode.NOW, "proration": CancellationProration.CREDIT}


@pytest_asyncio.fixture
async def june(story):
    """A subscription since the first of June."""
    await story.until("2026-06-01")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic")
    return story


async def taxed(story: Story, rate: str, *components: str, inclusive: bool = False) -> Invoice:
    """June's invoice of a seller who charges tax, with a component of each price."""
    await story.seller(small_business_exempt=False, tax_rates={"standard": Decimal(rate)})
    await story.until("2026-06-01")
    parts = [component(f"part{index}", price) for index, price in enumerate(components)]
    await story.plan("basic", *parts, tax_inclusive=inclusive)
    await story.subscribes("2026-06-01", "basic")
    (invoice,) = await story.invoices()
    return invoice


async def gives_back(story: Story, invoice: Invoice, *lines: CreditLine) -> Invoice:
    async with story.tenant.tx() as tx:
        return await credit_invoice(
            tx, CreditInvoice(invoice_id=invoice.id, reason="Goodwill", lines=lines)
        )


async def grants(story: Story, amount_minor: int) -> None:
    account = story.account or await story.customer()
    async with story.tenant.tx() as tx:
        amount = Money(amount_minor, currency_of("EUR"))
        await grant_credit(tx, ChangeCredit(account_id=account.id, amount=amount, reason="Gift"))


async def test_four_notes_are_together_the_invoice(story):
    # 4 x 69.79 = 279.16, and 20 % of it 55.832: 334.99. A line alone would be 69.79 + 13.96 = 83.75,
    # and four of them 335.00: the last note has 13.95 of tax.
    invoice = await taxed(story, "0.20", *["69.79"] * 4)
    assert (invoice.tax_minor, invoice.total_minor) == (5583, 33499)
    async with story.tenant.tx() as tx:
        lines = await lines_of(tx, invoice.id)
    notes = [await gives_back(story, invoice, CreditLine(line.id)) for line in lines]
    assert [note.total_minor for note in notes] == [-8375, -8375, -8375, -8374]
    assert sum(note.total_minor for note in notes) == -invoice.total_minor
    assert sum(note.tax_minor for note in notes) == -invoice.tax_minor


async def test_what_the_engine_gives_back_and_what_a_person_does_are_the_invoice(story):
    # 29.99 and 19 % of it, 5.70: 35.69. The engine takes half back, 15.00 and 2.85; a person the
    # rest, 14.99 and 2.85.
    invoice = await taxed(story, "0.19", "29.99")
    await story.cancels("2026-06-16", **LEAVES)
    rest = await gives_back(story, invoice)
    _, half, _ = await story.invoices()
    assert (half.subtotal_minor, half.tax_minor) == (-1500, -285)
    assert (rest.subtotal_minor, rest.tax_minor) == (-1499, -285)
    assert half.total_minor + rest.total_minor == -3569 == -invoice.total_minor


async def test_tax_is_rounded_once_for_the_document(story):
    # Three lines of 0.03 with 19 %: 0.0057 each, 0.0171 together.
    invoice = await taxed(story, "0.19", "0.03", "0.03", "0.03")
    async with story.tenant.tx() as tx:
        lines = await lines_of(tx, invoice.id)
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (9, 2, 11)
    assert sum(line.tax_minor for line in lines) == 2


async def test_what_is_agreed_with_tax_is_what_is_paid(story):
    # 29.99 / 1.19 = 25.2017. The upgrade: 59.99 and 29.99, half of each, 30.00 - 15.00 = 15.00, of
    # which 15.00 / 1.19 = 12.605 is net.
    await taxed(story, "0.19", "29.99", inclusive=True)
    await story.plan("pro", component("part0", "59.99"), tax_inclusive=True)
    await story.changes("2026-06-16", "pro")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 25.20
          basic part0 29.99, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 12.61
          basic part0 back -15.00, 2026-06-16 to 2026-07-01
          pro part0 30.00, 2026-06-16 to 2026-07-01
        """
    )
    assert [one.total_minor for one in await story.invoices()] == [2999, 1500]


async def test_what_is_given_back_is_taxed_as_it_was(story):
    # Charged with 19 %, given back after the rate has risen to 25 %: 15.00 and 2.85.
    await taxed(story, "0.19", "30.00")
    await story.seller(tax_rates={"standard": Decimal("0.25")})
    await story.cancels("2026-06-16", **LEAVES)
    *_, note = await story.invoices()
    assert (note.subtotal_minor, note.tax_minor) == (-1500, -285)


async def test_a_billing_day_collects_what_has_come_to_be_owed(story):
    # Two subscriptions, of the 1st and the 10th. The 5th begins at midnight and is invoiced an hour
    # later, when all periods that begin with it have been charged.
    await story.until("2026-06-01")
    await story.customer(collection=Collection.BILLING_DAY, billing_day=5)
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-01", "basic")
    await story.subscribes("2026-06-10", "pro")
    await story.until("2026-07-06")
    assert await story.documents() == told(
        """
        2026-06-05T01:00 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-05T01:00 invoice 90.00
          pro fee 60.00, 2026-06-10 to 2026-07-10
          basic fee 30.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_a_change_that_is_invoiced_at_once_takes_along_what_waits(story):
    # 30.00 wait for the 20th. On the 16th the upgrade, -15.00 + 30.00, comes on one invoice with it.
    await story.until("2026-06-01")
    await story.customer(collection=Collection.BILLING_DAY, billing_day=20)
    await story.plan("basic", "30.00")
    await story.plan("pro", "60.00")
    await story.subscribes("2026-06-01", "basic")
    await story.changes("2026-06-16", "pro")
    await story.until("2026-06-30")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 45.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          pro fee 30.00, 2026-06-16 to 2026-07-01
        """
    )


async def test_small_amounts_are_held_until_they_are_worth_an_invoice(story):
    # Nothing below 10.00: 4.00 and 8.00 wait, 12.00 do not.
    await story.seller(minimum_invoice={"EUR": 1000})
    await story.until("2026-06-01")
    await story.plan("basic", "4.00")
    await story.subscribes("2026-06-01", "basic")
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-08-01 invoice 12.00
          basic fee 4.00, 2026-06-01 to 2026-07-01
          basic fee 4.00, 2026-07-01 to 2026-08-01
          basic fee 4.00, 2026-08-01 to 2026-09-01
        """
    )


async def test_small_amounts_are_not_held_for_ever(story):
    await story.seller(minimum_invoice={"EUR": 1000})
    await story.until("2026-06-01")
    await story.plan("basic", "4.00")
    await story.subscribes("2026-06-01", "basic")
    await story.cancels("2026-06-16", mode=CancellationMode.PERIOD_END)
    await story.until("2026-08-01")
    assert await story.documents() == told(
        """
        2026-07-01 invoice 4.00
          basic fee 4.00, 2026-06-01 to 2026-07-01
        """
    )


async def test_credit_pays_invoices_until_it_is_used_up(story):
    await story.until("2026-06-01")
    await grants(story, 5000)
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic")
    await story.until("2026-08-01")
    assert [line for line in (await story.documents()).split("\n") if "invoice" in line] == [
        "2026-06-01 invoice 30.00, 30.00 from credit",
        "2026-07-01 invoice 30.00, 20.00 from credit",
        "2026-08-01 invoice 30.00",
    ]


async def test_credit_of_a_void_invoice_returns(story):
    await story.until("2026-06-01")
    await grants(story, 1000)
    story.pays_promptly = False
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic")
    (invoice,) = await story.invoices()
    assert (invoice.credit_applied_minor, invoice.due_minor) == (1000, 2000)
    async with story.tenant.tx() as tx:
        await void_invoice(tx, VoidInvoice(invoice_id=invoice.id, reason="Sent by mistake"))
    assert await story.balance() == "10.00 EUR"
    # What is void gives nothing back a second time.
    await story.cancels("2026-06-16", **LEAVES)
    assert await story.balance() == "10.00 EUR"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"])
async def test_no_zone_is_billed_twice(story, zone):
    # A billing run in every hour of two months, whatever midnight it is where.
    await story.customer(zone=zone)
    await story.until("2026-05-31T12:00")
    await story.plan("basic", "30.00")
    await story.subscribes("2026-05-31T12:00", "basic")
    for _ in range(24 * 62):
        story.clock.move_to(story.clock.now() + timedelta(hours=1))
        if story.clock.now().day in {1, 30, 31}:
            await story.bill()
    starts = [invoice.period_start for invoice in await story.invoices()]
    assert len(starts) == len(set(starts)) == 3


async def test_a_renewal_by_hand_and_the_billing_run_are_one(june):
    # The run is late: somebody renews by hand, then the run comes, twice.
    june.clock.move_to(june.clock.now() + timedelta(days=30, hours=1))
    async with june.tenant.tx() as tx:
        await renew_subscription(tx, RenewSubscription(subscription_id=june.subscription.id))
    await june.bill()
    await june.bill()
    assert [one.subtotal_minor for one in await june.invoices()] == [3000, 3000]


async def test_a_payment_renews_nothing(june):
    june.pays_promptly = False
    await june.until("2026-07-01")
    await june.pay()
    await june.bill()
    assert len(await june.invoices()) == 2


async def test_two_subscriptions_to_one_plan_are_two_lines_of_one_invoice(june):
    await june.subscribes("2026-06-01", "basic")
    await june.until("2026-07-01")
    async with june.tenant.tx() as tx:
        july = (await june.invoices())[-1]
        lines = await lines_of(tx, july.id)
    assert july.subtotal_minor == 6000
    assert len({line.subscription_id for line in lines}) == len(lines) == 2


async def test_drafts_of_a_pause_in_collection_are_made_once(june):
    await june.does(
        "2026-06-16", set_collection, SetCollection, behavior=CollectionPause.KEEP_AS_DRAFT
    )
    await june.until("2026-08-01")
    await june.bill()
    await june.bill()
    assert await june.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-07-01 invoice 30.00, draft
          basic fee 30.00, 2026-07-01 to 2026-08-01
        2026-08-01 invoice 30.00, draft
          basic fee 30.00, 2026-08-01 to 2026-09-01
        """
    )
    _, draft, _ = await june.invoices()
    async with june.tenant.tx() as tx:
        await finalize_invoice(tx, draft.id)
    await june.until("2026-09-01")
    states = [one.state for one in await june.invoices()]
    assert states == [
        InvoiceState.PAID,
        InvoiceState.PAID,
        InvoiceState.DRAFT,
        InvoiceState.DRAFT,
    ]


@pytest.mark.parametrize(
    ("behavior", "state"),
    [
        (CollectionPause.VOID, InvoiceState.VOID),
        (CollectionPause.MARK_UNCOLLECTIBLE, InvoiceState.UNCOLLECTIBLE),
    ],
)
async def test_what_is_given_up_while_collection_is_paused(june, behavior, state):
    # July is given up; August is collected again.
    await june.does("2026-06-16", set_collection, SetCollection, behavior=behavior)
    await june.until("2026-07-01")
    await june.does("2026-07-16", set_collection, SetCollection, behavior=None)
    await june.until("2026-08-01")
    assert [one.state for one in await june.invoices()] == [
        InvoiceState.PAID,
        state,
        InvoiceState.PAID,
    ]


async def test_who_was_given_a_month_gets_no_money_for_it(june):
    # July is void: nothing was paid for it, and nothing comes back.
    await june.does("2026-06-16", set_collection, SetCollection, behavior=CollectionPause.VOID)
    await june.cancels("2026-07-16", **LEAVES)
    assert await june.balance() == "0.00 EUR"


async def test_a_month_that_is_given_up_takes_no_credit(june):
    await grants(june, 5000)
    await june.does("2026-06-16", set_collection, SetCollection, behavior=CollectionPause.VOID)
    await june.until("2026-07-01")
    assert await june.balance() == "50.00 EUR"


async def test_credit_returns_when_the_first_payment_does_not_come(story):
    story.pays_promptly = False
    await story.until("2026-06-01")
    await grants(story, 1000)
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic", activation=Activation.ON_FIRST_PAYMENT)
    await story.until("2026-06-03")
    assert await story.balance() == "10.00 EUR"


async def test_credit_that_pays_everything_is_a_first_payment(story):
    await story.until("2026-06-01")
    await grants(story, 5000)
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic", activation=Activation.ON_FIRST_PAYMENT)
    await story.until("2026-06-03")
    assert (await story.now()).state is SubscriptionState.ACTIVE
    assert await story.balance() == "20.00 EUR"


async def test_the_end_of_a_subscription_does_not_wait_for_the_billing_day(story):
    await story.until("2026-06-01")
    await story.customer(collection=Collection.BILLING_DAY, billing_day=20)
    await story.plan("basic", "30.00")
    await story.subscribes("2026-06-01", "basic")
    await story.cancels("2026-06-16", **LEAVES)
    await story.until("2026-07-25")
    assert await story.documents() == told(
        """
        2026-06-16 invoice 15.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
          basic fee back -15.00, 2026-06-16 to 2026-07-01
        """
    )


async def test_what_one_subscription_leaves_another_takes_at_the_same_instant(june):
    await june.cancels(
        "2026-06-02", **{**LEAVES, "mode": CancellationMode.AT, "cancel_at": at(END)}
    )
    await june.subscribes(END, "basic")
    assert (await june.documents()).split("\n")[2:] == [
        "2026-06-16 credit note -15.00, 15.00 to credit",
        "  basic fee back -15.00, 2026-06-16 to 2026-07-01",
        "2026-06-16 invoice 30.00, 15.00 from credit",
        "  basic fee 30.00, 2026-06-16 to 2026-07-16",
    ]
