"""Does each window cost what was agreed for it when service stands still after a change for nothing?

June has thirty days. Basic costs one euro a day in arrears and one for each call, pro twice as much.
"""

from __future__ import annotations

import pytest_asyncio

from billwright.features.catalog.model import ComponentKind, Timing
from billwright.features.invoicing.sql.reads import charges_by_id
from billwright.features.subscriptions.model import CancellationMode
from tests.scenarios.golden import at, component, fee, told
from tests.scenarios.test_golden_nonpayment import come, given_up, missing


@pytest_asyncio.fixture
async def june(story):
    """A subscription to the basic plan since the first of June, with pro for nothing since the 11th."""
    await story.until("2026-06-01")
    for code, storage, call in (("basic", "30.00", "1.00"), ("pro", "60.00", "2.00")):
        await story.plan(
            code,
            fee(storage, timing=Timing.IN_ARREARS),
            component("calls", call, kind=ComponentKind.USAGE, meter="calls"),
        )
    await story.subscribes("2026-06-01", "basic")
    await story.uses("2026-06-05", "5")
    await story.changes("2026-06-11", "pro", "none")
    await story.uses("2026-06-13", "3")
    return story


async def test_what_is_in_arrears_has_the_old_price_until_the_renewal(june):
    # Up to the 11th 5 calls at 1.00, and the fee of all of June, which the change charges early: 30.00.
    # Up to the pause 3 calls at 2.00, and half of the fee back. From the 21st to the renewal 10 days at
    # 1.00, and 4 calls at 2.00; July costs 60.00.
    await june.pauses("2026-06-16")
    await june.resumes("2026-06-21")
    await june.uses("2026-06-25", "4")
    await june.until("2026-08-01")
    assert await june.documents() == told(
        """
        2026-06-16 invoice 26.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
          basic calls x 5 used 5.00, 2026-06-01 to 2026-06-11
          pro calls x 3 used 6.00, 2026-06-11 to 2026-06-16
          basic fee back -15.00, 2026-06-16 to 2026-07-01
        2026-07-01 invoice 18.00
          basic fee 10.00, 2026-06-21 to 2026-07-01
          pro calls x 4 used 8.00, 2026-06-21 to 2026-07-01
        2026-08-01 invoice 60.00
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_two_standstills_leave_out_what_they_last(june):
    # The fee is owed from the 1st to the 16th, from the 21st to the 24th and from the 26th to the 29th.
    for pause, resumption in (("16", "21"), ("24", "26"), ("26", "26")):
        await june.pauses(f"2026-06-{pause}")
        await june.resumes(f"2026-06-{resumption}")
    await june.cancels("2026-06-29", mode=CancellationMode.NOW)
    assert sum(one.total_minor for one in await june.invoices()) == 1100 + (15 + 3 + 3) * 100


async def test_what_a_pause_took_back_is_nobody_elses(june, other_tenant):
    await june.pauses("2026-06-16")
    taken_back = (await june.now()).pause.taken_back
    async with june.tenant.tx() as tx:
        (own,) = (await charges_by_id(tx, taken_back)).values()
    assert (own.charge.amount_minor, own.reversed_from) == (3000, at("2026-06-16"))
    async with other_tenant.tx() as tx:
        assert await charges_by_id(tx, taken_back) == {}


async def test_a_resumption_after_the_period_has_the_new_price(june):
    await june.pauses("2026-06-16")
    await june.resumes("2026-07-11")
    await june.until("2026-08-11")
    assert (await june.documents()).split("\n")[-2:] == [
        "2026-08-11 invoice 60.00",
        "  pro fee 60.00, 2026-07-11 to 2026-08-11",
    ]


async def test_what_was_given_up_and_is_paid_after_all_has_the_old_price_too(june):
    await missing(june, "2026-06-14")
    await given_up(june, "2026-06-16")
    await come(june, "2026-06-21")
    await june.until("2026-07-01")
    assert sum(one.total_minor for one in await june.invoices()) == 1100 + (15 + 10) * 100
