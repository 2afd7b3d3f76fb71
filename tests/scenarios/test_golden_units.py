"""Do units and add-ons that come and go cost what they cost by hand?

Seats are 10.00 a month, and June has thirty days.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.subscriptions.operations.change_add_ons import (
    AddAddOn,
    RemoveAddOn,
    add_add_on,
    remove_add_on,
)
from tests.scenarios.golden import component, fee, told, units


async def test_seats_come_and_go(story):
    await story.until("2026-06-01")
    await story.plan("team", component("seats", "10.00", unit_name="seat"))
    await story.subscribes("2026-06-01", "team", quantities=units(seats=3))
    # 16 June, half a month: 3 seats back, 15.00; 5 seats ahead, 25.00.
    await story.sets("2026-06-16", units(seats=5))
    # 21 June, a third: 5 seats back, 50.00 / 3 = 16.67; 2 seats ahead, 20.00 / 3 = 6.67.
    await story.sets("2026-06-21", units(seats=2))
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 30.00
          team seats x 3 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 10.00
          team seats x 3 back -15.00, 2026-06-16 to 2026-07-01
          team seats x 5 25.00, 2026-06-16 to 2026-07-01
        2026-06-21 credit note -10.00, 10.00 to credit
          team seats x 5 back -16.67, 2026-06-21 to 2026-07-01
          team seats x 2 6.67, 2026-06-21 to 2026-07-01
        2026-07-01 invoice 20.00, 10.00 from credit
          team seats x 2 20.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_an_add_on_is_set_up_once_however_often_it_is_taken(story):
    await story.until("2026-06-01")
    await story.plan(
        "basic",
        fee("30.00"),
        component("support", "12.00", optional=True),
        component("setup", "50.00", kind="one_time", optional=True),
    )
    await story.subscribes("2026-06-01", "basic")
    # Half a month of support is 6.00; ten days that are not used, 12.00 x 10/30 = 4.00; five days
    # 12.00 x 5/30 = 2.00, without another set-up.
    await story.sets("2026-06-16", units(support=1, setup=1))
    await story.sets("2026-06-21", units(support=0, setup=0))
    await story.sets("2026-06-26", units(support=1, setup=1))
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 30.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 56.00
          basic setup once 50.00
          basic support 6.00, 2026-06-16 to 2026-07-01
        2026-06-21 credit note -4.00, 4.00 to credit
          basic support back -4.00, 2026-06-21 to 2026-07-01
        2026-06-26 invoice 2.00, 2.00 from credit
          basic support 2.00, 2026-06-26 to 2026-07-01
        2026-07-01 invoice 42.00, 2.00 from credit
          basic fee 30.00, 2026-07-01 to 2026-08-01
          basic support 12.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_an_agreed_price_holds_for_more_seats_and_ends_with_the_plan(story):
    await story.until("2026-06-01")
    seats = component("seats", "10.00", unit_name="seat")
    await story.plan("team", seats)
    await story.plan("club", seats)
    await story.subscribes(
        "2026-06-01", "team", quantities=units(seats=2), prices={"seats": PerUnit(price=Decimal(8))}
    )
    # 2 x 8.00 = 16.00. In the middle 4 seats: 8.00 back, 16.00 ahead. With the other plan of ten
    # days: 4 x 8.00 / 3 = 10.67 back, 4 x 10.00 / 3 = 13.33 ahead.
    await story.sets("2026-06-16", units(seats=4))
    await story.changes("2026-06-21", "club")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 16.00
          team seats x 2 16.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 8.00
          team seats x 2 back -8.00, 2026-06-16 to 2026-07-01
          team seats x 4 16.00, 2026-06-16 to 2026-07-01
        2026-06-21 invoice 2.66
          team seats x 4 back -10.67, 2026-06-21 to 2026-07-01
          club seats x 4 13.33, 2026-06-21 to 2026-07-01
        """
    )


async def test_an_add_on_comes_and_goes_by_name(story):
    # 12.00 x 15/30 on the 16th, and 12.00 x 10/30 back on the 21st.
    await story.until("2026-06-01")
    await story.plan("basic", fee("30.00"), component("support", "12.00", optional=True))
    await story.subscribes("2026-06-01", "basic")
    await story.does("2026-06-16", add_add_on, AddAddOn, component_code="support")
    await story.does("2026-06-21", remove_add_on, RemoveAddOn, component_code="support")
    await story.until("2026-07-01")
    assert [one.subtotal_minor for one in await story.invoices()] == [3000, 600, -400, 3000]


@pytest.mark.parametrize("how", ["period_end", "none"])
async def test_an_add_on_from_the_renewal_on_is_set_up_then(story, how):
    await story.until("2026-06-01")
    await story.plan(
        "basic",
        fee("30.00"),
        component("support", "12.00", optional=True),
        component("setup", "50.00", kind="one_time", optional=True),
    )
    await story.subscribes("2026-06-01", "basic")
    await story.sets("2026-06-16", units(support=1, setup=1), how)
    await story.until("2026-08-01")
    assert [one.subtotal_minor for one in await story.invoices()] == [3000, 9200, 4200]


async def test_units_change_for_nothing_and_then_at_a_price(story):
    # 5 seats for nothing on the 11th. On the 21st, 10 of 30 days: what was paid for 3 seats is given
    # back, 10.00, and 4 seats are 13.33.
    await story.until("2026-06-01")
    await story.plan("team", component("seats", "10.00"))
    await story.subscribes("2026-06-01", "team", quantities=units(seats=3))
    await story.sets("2026-06-11", units(seats=5), "none")
    await story.sets("2026-06-21", units(seats=4))
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 30.00
          team seats x 3 30.00, 2026-06-01 to 2026-07-01
        2026-06-21 invoice 3.33
          team seats x 3 back -10.00, 2026-06-21 to 2026-07-01
          team seats x 4 13.33, 2026-06-21 to 2026-07-01
        2026-07-01 invoice 40.00
          team seats x 4 40.00, 2026-07-01 to 2026-08-01
        """
    )
