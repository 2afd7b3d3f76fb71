"""Do renewals fall on the days that a customer expects, in any zone and currency?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.invoicing.sql.reads import lines_of, list_invoices
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears

MONTH, YEAR = Interval(IntervalUnit.MONTH), Interval(IntervalUnit.YEAR)


def seats(price: str, currency: str = "EUR") -> NewComponent:
    return NewComponent(
        code="seats", name="Seats", prices=((currency, PerUnit(price=Decimal(price))),)
    )


async def life(tenant, clock, *, begins: datetime, until: datetime, zone: str, plan: dict):
    """The starts of the billed periods of a subscription, as clocks of its zone show them."""
    clock.move_to(begins)
    async with tenant.tx() as tx:
        await a_plan(tx, **{"components": (seats("10"),), **plan})
        await a_subscription(tx, await an_account(tx, zone=zone))
    clock.move_to(until)
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        rows = await tx.fetch("select period_start, period_end from charge order by 1")
        assert len(await list_invoices(tx, before=None, limit=999)) == len(rows)
    for earlier, later in pairwise(rows):
        assert earlier["period_end"] == later["period_start"]
    assert rows[0]["period_start"] == begins
    assert rows[-1]["period_end"] > until
    return [row["period_start"].astimezone(ZoneInfo(zone)) for row in rows]


async def test_the_thirty_first_comes_back_after_february(tenant, clock):
    starts = await life(
        tenant,
        clock,
        begins=datetime(2027, 12, 31, 9, 30, tzinfo=UTC),
        until=datetime(2029, 1, 1, tzinfo=UTC),
        zone="UTC",
        plan={"interval": MONTH},
    )
    assert [(start.month, start.day) for start in starts] == [
        (12, 31), (1, 31), (2, 29), (3, 31), (4, 30), (5, 31), (6, 30),
        (7, 31), (8, 31), (9, 30), (10, 31), (11, 30), (12, 31),
    ]  # fmt: skip


async def test_quarters_from_the_thirty_first_do_not_drift(tenant, clock):
    starts = await life(
        tenant,
        clock,
        begins=datetime(2026, 8, 31, tzinfo=UTC),
        until=datetime(2027, 9, 1, tzinfo=UTC),
        zone="UTC",
        plan={"interval": Interval(IntervalUnit.MONTH, 3)},
    )
    assert [(start.month, start.day) for start in starts] == [
        (8, 31), (11, 30), (2, 28), (5, 31), (8, 31),
    ]  # fmt: skip


async def test_a_leap_day_comes_back_in_leap_years(tenant, clock):
    starts = await life(
        tenant,
        clock,
        begins=datetime(2028, 2, 29, 12, tzinfo=UTC),
        until=datetime(2033, 1, 1, tzinfo=UTC),
        zone="UTC",
        plan={"interval": YEAR},
    )
    assert [(start.year, start.month, start.day) for start in starts] == [
        (2028, 2, 29),
        (2029, 2, 28),
        (2030, 2, 28),
        (2031, 2, 28),
        (2032, 2, 29),
    ]


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Europe/Berlin", datetime(2026, 1, 15, 23, 30, tzinfo=UTC)),  # already the 16th
        ("America/New_York", datetime(2026, 1, 15, 4, 30, tzinfo=UTC)),  # still the 14th
        ("Australia/Lord_Howe", datetime(2026, 1, 15, 12, tzinfo=UTC)),  # half an hour of DST
        ("Pacific/Kiritimati", datetime(2026, 1, 31, 11, tzinfo=UTC)),  # UTC+14: the 1st
    ],
)
async def test_the_wall_clock_shows_the_same_time_all_year(tenant, clock, zone, begins):
    until = begins + timedelta(days=400)
    starts = await life(
        tenant, clock, begins=begins, until=until, zone=zone, plan={"interval": MONTH}
    )
    local = begins.astimezone(ZoneInfo(zone))
    assert {(start.day, start.hour, start.minute) for start in starts} == {
        (local.day, local.hour, local.minute)
    }
    assert len(starts) == 14


async def test_a_time_that_clocks_skip_and_one_that_they_show_twice(tenant, clock):
    # 02:30 in Berlin does not exist on 29 March 2026 and occurs twice on 25 October 2026.
    zone = "Europe/Berlin"
    starts = await life(
        tenant,
        clock,
        begins=datetime(2026, 3, 28, 2, 30, tzinfo=ZoneInfo(zone)),
        until=datetime(2026, 10, 28, tzinfo=UTC),
        zone=zone,
        plan={"interval": Interval(IntervalUnit.DAY)},
    )
    assert [start.isoformat() for start in starts[:3]] == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]
    (autumn,) = [start for start in starts if (start.month, start.day) == (10, 25)]
    assert autumn.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert len({start.date() for start in starts}) == len(starts) == 214


@pytest.mark.parametrize(
    ("currency", "price", "net", "tax"),
    [
        ("EUR", "19.99", 5997, 1139),  # 59.97; 19 % is 11.3943
        ("JPY", "1500", 4500, 855),  # 4,500 yen; 855
        ("JPY", "0.5", 2, 0),  # 1.5 yen, half up; 19 % of 2 is 0.38
        ("KWD", "1.2345", 3704, 704),  # 3.7035 dinar, half up 3.704; 19 % is 0.70376
        ("CLF", "0.00005", 2, 0),  # four decimal places
    ],
)
async def test_every_currency_is_billed_in_its_own_minor_unit(
    tenant, clock, currency, price, net, tax
):
    async with tenant.tx() as tx:
        parts = (seats(price, currency), in_arrears("storage", price, currency=currency))
        await a_plan(tx, components=parts)
        account = await an_account(tx, currency=currency)
        three = {"seats": Decimal(3), "storage": Decimal(3)}
        await a_subscription(tx, account, quantities=three)
    clock.move_to(clock.now() + timedelta(days=31))
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        second, first = await list_invoices(tx, before=None, limit=9)
        lines = await lines_of(tx, second.id)
    assert (first.currency.code, first.subtotal_minor, first.tax_minor) == (currency, net, tax)
    assert second.subtotal_minor == 2 * net
    assert sum(line.tax_minor for line in lines) == second.tax_minor


async def test_a_run_that_comes_late_bills_each_period_as_if_it_had_come_in_time(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx, components=(seats("10"), in_arrears("storage", "3")))
        started = await a_subscription(tx, await an_account(tx))
    clock.move_to(datetime(2026, 7, 1, tzinfo=UTC))
    assert await renew_due_subscriptions(tenant.work()) == 5
    assert await renew_due_subscriptions(tenant.work()) == 0
    async with tenant.tx() as tx:
        invoices = (await list_invoices(tx, before=None, limit=99))[::-1]
        subscription = await subscription_by_id(tx, started.subscription.id)
    assert [invoice.subtotal_minor for invoice in invoices] == [1000] + [1300] * 5
    assert [invoice.period_end.month for invoice in invoices] == [2, 3, 4, 5, 6, 7]
    assert (subscription.period.index, subscription.version) == (5, 6)


async def test_two_subscriptions_that_renew_at_one_instant_share_an_invoice(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx, components=(seats("10"),))
        await a_plan(tx, "yen", components=(seats("500", "JPY"),))
        account, other = await an_account(tx), await an_account(tx)
        first = await a_subscription(tx, account)
        second = await a_subscription(tx, account)
        await a_subscription(tx, account, "yen", currency="JPY")
        await a_subscription(tx, other)
    clock.move_to(clock.now() + timedelta(minutes=1))
    async with tenant.tx() as tx:
        await a_subscription(tx, account)
    clock.move_to(datetime(2026, 2, 16, tzinfo=UTC))
    assert await renew_due_subscriptions(tenant.work()) == 5
    async with tenant.tx() as tx:
        renewed = (await list_invoices(tx, before=None, limit=4))[::-1]
    # Together in one currency at one instant; the third came a minute later, the fourth in yen.
    assert sorted((i.account_id == account.id, i.currency.code, i.subtotal_minor) for i in renewed) == [
        (False, "EUR", 1000),
        (True, "EUR", 1000),
        (True, "EUR", 2000),
        (True, "JPY", 500),
    ]  # fmt: skip
    shared = next(invoice for invoice in renewed if invoice.subtotal_minor == 2000)
    assert set(shared.reference.split(", ")) == {
        first.subscription.reference,
        second.subscription.reference,
    }
