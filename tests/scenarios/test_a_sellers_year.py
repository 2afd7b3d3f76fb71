"""A seller's first year: three customers, two currencies, one goodbye, and books that close."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from billwright.features.accounts.model import Account
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.invoicing.model import InvoiceState
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.subscriptions.model import CancellationMode
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.faults.books import check_books
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.scenarios.storytelling import (
    cancel,
    invoices_of,
    live_until,
    pay_in_full,
    revenue,
    told,
)


def at(month: int, day: int, hour: int = 12, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


async def test_a_sellers_year(tenant, clock):
    clock.move_to(at(1, 5))
    await the_catalog(tenant)
    riverbank, kawa, hill = await the_year(tenant, clock)
    await what_each_was_billed(tenant, riverbank=riverbank, kawa=kawa, hill=hill)
    await how_the_books_close(tenant, riverbank)


async def the_catalog(tenant) -> None:
    async with tenant.tx() as tx:
        await a_plan(tx)  # monthly: 29.00 EUR, and 9.90 a seat
        await a_plan(
            tx,
            "archive",  # monthly, afterwards: 0.031 EUR a gigabyte
            components=(in_arrears("storage", "0.031"),),
        )
        await a_plan(
            tx,
            "yearly",  # in two currencies, with the reduced rate of 7 %
            interval=Interval(IntervalUnit.YEAR),
            tax_category="reduced",
            components=(
                NewComponent(
                    code="license",
                    name="License",
                    prices=(
                        ("EUR", Flat(price=Decimal(499))),
                        ("JPY", PerUnit(price=Decimal(80000))),
                    ),
                ),
            ),
        )


async def the_year(tenant, clock) -> tuple[Account, Account, Account]:
    # 31 January: Riverbank takes the team plan with three seats, and 1,000 GB of archive.
    clock.move_to(at(1, 31))
    async with tenant.tx() as tx:
        riverbank = await an_account(tx, "Riverbank Books")
        await a_subscription(tx, riverbank, quantities={"seats": Decimal(3)})
        archive = (
            await a_subscription(tx, riverbank, "archive", quantities={"storage": Decimal(1000)})
        ).subscription

    # 1 March: Kawa, in Tokyo, pays in yen for a year.
    await live_until(tenant, clock, at(3, 1))
    async with tenant.tx() as tx:
        kawa = await an_account(tx, "Kawa", currency="JPY", zone="Asia/Tokyo", payment_terms_days=0)
        await a_subscription(tx, kawa, "yearly", quantities={"license": Decimal(2)})

    # 10 April: Hill comes for the team plan and leaves on 20 May, for the end of its period.
    await live_until(tenant, clock, at(4, 10))
    async with tenant.tx() as tx:
        hill = await an_account(tx, "Hill")
        short = (await a_subscription(tx, hill)).subscription
    await live_until(tenant, clock, at(5, 20))
    await cancel(tenant, short, CancellationMode.PERIOD_END)

    # 15 October: Riverbank gives up the archive at once, and pays all that it owes.
    await live_until(tenant, clock, at(10, 15))
    await cancel(tenant, archive, CancellationMode.NOW)
    for invoice in await invoices_of(tenant, riverbank):
        await pay_in_full(tenant, invoice)

    await live_until(tenant, clock, at(12, 31, hour=11))
    return riverbank, kawa, hill


async def what_each_was_billed(tenant, *, riverbank: Account, kawa: Account, hill: Account) -> None:
    # Riverbank: 29.00 + 3 x 9.90 = 58.70 in twelve months from 31 January to 30 November (eleven
    # periods; the twelfth begins at 12:00 on 31 December, one hour after the story ends).
    # The archive: 31.00 in each of eight whole periods up to 30 September. The last runs from
    # 30 September, 11:00 UTC, to 15 October, 12:00: 15 days and an hour. The whole period ends on
    # 31 October at 12:00 UTC, since clocks went back on the 25th: 31 days and an hour.
    # 31.00 x 361/745 = 15.0215, so 15.02.
    rows = [
        (i.issued_on.isoformat(), i.subtotal_minor) for i in await invoices_of(tenant, riverbank)
    ]
    assert rows == [
        ("2026-01-31", 5870),
        ("2026-02-28", 8970),
        ("2026-03-31", 8970),
        ("2026-04-30", 8970),
        ("2026-05-31", 8970),
        ("2026-06-30", 8970),
        ("2026-07-31", 8970),
        ("2026-08-31", 8970),
        ("2026-09-30", 8970),
        ("2026-10-15", 1502),
        ("2026-10-31", 5870),
        ("2026-11-30", 5870),
    ]
    # Kawa: 2 x 80,000 yen, 7 % of it 11,200; due on the day of the invoice, as agreed.
    (yen,) = await invoices_of(tenant, kawa)
    assert (yen.subtotal_minor, yen.tax_minor, yen.due_on) == (160000, 11200, yen.issued_on)
    # Hill: 38.90 on 10 April and 10 May; nothing after it left on 10 June.
    assert [invoice.issued_on.month for invoice in await invoices_of(tenant, hill)] == [4, 5]


async def how_the_books_close(tenant, riverbank: Account) -> None:
    # Net: 5870 x 3 + 8970 x 8 + 1502 + 3890 x 2 = 17610 + 71760 + 1502 + 7780 = 98652.
    # Tax at 19 %: 58.70 -> 11.15 (three times), 89.70 -> 17.04 (eight times; 17.043), 15.02 -> 2.85,
    # 38.90 -> 7.39 (twice): 3345 + 13632 + 285 + 1478 = 18740.
    # Due: two of Riverbank's, 58.70 + 11.15 = 69.85 each, and Hill's, 46.29 each.
    assert await revenue(tenant) == {
        "EUR": (98652, 18740, 2 * 6985 + 2 * 4629),
        "JPY": (160000, 11200, 171200),
    }
    states = [invoice.state for invoice in await invoices_of(tenant, riverbank)]
    assert states == [InvoiceState.PAID] * 10 + [InvoiceState.OPEN] * 2

    # 12 + 1 + 2 invoices with one row of numbers, and each fact told once.
    numbers = [invoice.number for invoice in await invoices_of(tenant)]
    assert numbers == [f"INV-2026-{sequence:05d}" for sequence in range(1, 16)]
    facts = await told(tenant)
    assert facts["invoice.finalized"] == 15
    assert facts["invoice.paid"] == facts["payment.succeeded"] == 10
    assert facts["subscription.canceled"] == 2
    assert facts["account.parked"] == 0
    await check_books(tenant)
