"""Does each kind of price, in advance and by use, cost what it costs by hand?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from billwright.features.catalog.model import PlanTerms, Timing
from billwright.features.pricing.rules.models.cost_plus import CostPlus
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.graduated import Graduated
from billwright.features.pricing.rules.models.package import Package
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.models.stairstep import Stairstep
from billwright.features.pricing.rules.models.volume import Volume
from billwright.features.pricing.rules.tiers import Step, Tier
from billwright.features.subscriptions.model import CancellationMode, CancellationProration
from billwright.kernel.money import Rounding
from tests.scenarios.golden import component, fee, told, units

EIGHT = Decimal(8)

# Of twelve units two are free, so that ten are priced. The minimum is 50.00.
PRICES = [
    # One price.
    pytest.param(Flat(price=Decimal(29)), "29.00", "21.00", id="flat"),
    # 10 x 9.90 = 99.00
    pytest.param(PerUnit(price=Decimal("9.90")), "99.00", None, id="per unit"),
    # Ten units start three packages of four: 3 x 5.00 = 15.00
    pytest.param(
        Package(price=Decimal(5), package_size=Decimal(4)), "15.00", "35.00", id="package"
    ),
    # 8 x 9.00 + 5.00 and 2 x 7.00: 77.00 + 14.00 = 91.00
    pytest.param(
        Graduated(
            tiers=(
                Tier(up_to=EIGHT, unit_price=Decimal(9), flat_price=Decimal(5)),
                Tier(up_to=None, unit_price=Decimal(7)),
            )
        ),
        "91.00",
        None,
        id="graduated",
    ),
    # All ten at 7.00, and 3.00: 73.00
    pytest.param(
        Volume(
            tiers=(
                Tier(up_to=EIGHT, unit_price=Decimal(9)),
                Tier(up_to=None, unit_price=Decimal(7), flat_price=Decimal(3)),
            )
        ),
        "73.00",
        None,
        id="volume",
    ),
    # The second step.
    pytest.param(
        Stairstep(
            tiers=(
                Step(up_to=EIGHT, flat_price=Decimal(29)),
                Step(up_to=None, flat_price=Decimal(99)),
            )
        ),
        "99.00",
        None,
        id="stairstep",
    ),
    # 0.40 x 1.25 + 0.02 = 0.52, ten times.
    pytest.param(
        CostPlus(base=Decimal("0.40"), margin_percent=Decimal(25), margin_fixed=Decimal("0.02")),
        "5.20",
        "44.80",
        id="cost plus",
    ),
]
WITH_TERMS = {"free_units": Decimal(2), "minimums": (("EUR", 5000),)}


@pytest.mark.parametrize(("pricing", "costs", "missing"), PRICES)
async def test_what_was_used_is_owed_when_the_period_has_ended(story, pricing, costs, missing):
    await story.until("2026-06-01")
    await story.plan("api", component("calls", pricing, kind="usage", meter="calls", **WITH_TERMS))
    await story.subscribes("2026-06-01", "api")
    await story.uses("2026-06-01", "7")
    await story.uses("2026-06-30T23:59", "5")
    await story.uses("2026-07-01", "100")  # the next period's
    await story.until("2026-07-01T12:00")
    sum_ = "50.00" if missing else costs
    assert (await story.documents()).split("\n") == [
        f"2026-07-01 invoice {sum_}",
        f"  api calls x 12 used {costs}, 2026-06-01 to 2026-07-01",
        *([f"  api calls minimum {missing}, 2026-06-01 to 2026-07-01"] if missing else []),
    ]


@pytest.mark.parametrize("timing", list(Timing))
@pytest.mark.parametrize(("pricing", "costs", "missing"), PRICES)
async def test_what_was_agreed_is_owed_at_its_time(story, *, pricing, costs, missing, timing):
    await story.until("2026-06-01")
    await story.plan("rack", component("slots", pricing, timing=timing, **WITH_TERMS))
    await story.subscribes("2026-06-01", "rack", quantities=units(slots=12))
    await story.cancels("2026-06-15", mode=CancellationMode.PERIOD_END)
    await story.until("2026-07-01")
    lines = (await story.documents()).split("\n")
    # A minimum is looked at when the period has ended, whenever the units were charged.
    assert [line for line in lines if line.startswith(" ")] == [
        f"  rack slots x 12 {costs}, 2026-06-01 to 2026-07-01",
        *([f"  rack slots minimum {missing}, 2026-06-01 to 2026-07-01"] if missing else []),
    ]


async def test_something_that_is_charged_once(story):
    await story.until("2026-06-01")
    await story.plan("basic", fee("30.00"), component("setup", "99.00", kind="one_time"))
    await story.plan("pro", fee("60.00"), component("setup", "99.00", kind="one_time"))
    await story.subscribes("2026-06-01", "basic", quantities=units(setup=2))
    await story.changes("2026-06-16", "pro")  # sets nothing up again
    await story.until("2026-07-01")
    assert await story.documents() == told(
        """
        2026-06-01 invoice 228.00
          basic setup x 2 once 198.00
          basic fee 30.00, 2026-06-01 to 2026-07-01
        2026-06-16 invoice 15.00
          basic fee back -15.00, 2026-06-16 to 2026-07-01
          pro fee 30.00, 2026-06-16 to 2026-07-01
        2026-07-01 invoice 60.00
          pro fee 60.00, 2026-07-01 to 2026-08-01
        """
    )


async def test_what_is_charged_once_waits_for_the_trial(story):
    await story.until("2026-06-01")
    await story.plan(
        "basic",
        fee("30.00"),
        component("setup", "99.00", kind="one_time"),
        terms=PlanTerms(trial_days=14),
    )
    await story.subscribes("2026-06-01", "basic")
    await story.until("2026-06-30")
    assert await story.documents() == told(
        """
        2026-06-15 invoice 129.00
          basic setup once 99.00
          basic fee 30.00, 2026-06-15 to 2026-07-15
        """
    )


@pytest.mark.parametrize(
    ("currency", "old", "new", "lines"),
    [
        # Half of 999 yen is 499.5, of 1,999 yen 999.5: both rounded away from zero.
        ("JPY", "999", "1999", ["-500", "1000"]),
        # Half of 9.999 dinars is 4.9995, of 19.999 it is 9.9995.
        ("KWD", "9.999", "19.999", ["-5.000", "10.000"]),
        # Half of 9.99 euros is 4.995, of 19.99 it is 9.995.
        ("EUR", "9.99", "19.99", ["-5.00", "10.00"]),
    ],
)
async def test_every_currency_is_rounded_to_its_own_unit(story, *, currency, old, new, lines):
    await story.until("2026-06-01")
    await story.plan("old", fee(old, currency=currency))
    await story.plan("new", fee(new, currency=currency))
    await story.customer(currency=currency)
    await story.subscribes("2026-06-01", "old")
    await story.changes("2026-06-16", "new")
    assert (await story.documents()).split("\n")[-2:] == [
        f"  old fee back {lines[0]}, 2026-06-16 to 2026-07-01",
        f"  new fee {lines[1]}, 2026-06-16 to 2026-07-01",
    ]


@pytest.mark.parametrize(
    ("rounding", "half"),
    [
        (Rounding.HALF_UP, 500),
        (Rounding.HALF_EVEN, 500),  # 499.5: 500 is even
        (Rounding.HALF_DOWN, 499),
        (Rounding.UP, 500),
        (Rounding.DOWN, 499),
    ],
)
async def test_a_seller_decides_how_lines_are_rounded(story, rounding, half):
    await story.seller(rounding=rounding)
    await story.until("2026-06-01")
    await story.plan("old", "9.99")
    await story.subscribes("2026-06-01", "old")
    await story.cancels(
        "2026-06-16", mode=CancellationMode.NOW, proration=CancellationProration.CREDIT
    )
    *_, note = await story.invoices()
    assert note.subtotal_minor == -half
