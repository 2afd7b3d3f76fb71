"""Does changing and changing back cost nothing where an amount to take off has something left?

What is left is taken by whatever is charged next, so that only plans are looked at here that owe nothing
in arrears, whose charges would take it for themselves.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import PlanTerms, PlanVersion
from billwright.features.promotions.model import PromotionKind
from billwright.features.subscriptions.rules.change import Target
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.features.promotions.redeeming import promotion_of
from tests.histories.checks import check_life
from tests.histories.commands import moved_to
from tests.histories.life import Life, Start, begun
from tests.histories.plans import PRICINGS, STARTS, ZONES, version_of
from tests.histories.profile import histories
from tests.histories.test_changes_at_one_instant import PRORATED, change
from tests.histories.test_corners_that_histories_found import component
from tests.histories.test_histories_of_one_subscription import CHARGING

INTERVALS = tuple(map(Interval, (IntervalUnit.MONTH, IntervalUnit.YEAR, IntervalUnit.WEEK)))
AMOUNTS = st.sampled_from((1, 777, 2501, 10_000, 50_003, 100_000))


@st.composite
def promoted(draw: st.DrawFn) -> Life:
    """A subscription with one or two amounts, from its start or from some later instant on, that has
    changed a few times.
    """
    amounts = [
        promotion_of(PromotionKind.FIXED_AMOUNT, amount_minor=amount, currency="EUR")
        for amount in draw(st.lists(AMOUNTS, min_size=1, max_size=2))
    ]
    interval = draw(st.sampled_from(INTERVALS))
    plans = tuple(draw(_plan(code, interval)) for code in ("team", "pro", "max"))
    start = Start(
        at=draw(st.sampled_from(STARTS)),
        currency="EUR",
        zone=draw(st.sampled_from(ZONES)),
        terms=draw(CHARGING),
        quantity=Decimal(draw(st.sampled_from((1, 3, 7)))),
        promotions=tuple(amounts[1:]),
    )
    life = begun(plans, start, now=start.at)
    for place in range(draw(st.integers(0, 3))):
        _wait(life, draw(st.integers(0, 60)))
        change(life, moved_to(life, draw(st.sampled_from(plans))), draw(PRORATED))
        if place == 0:
            life.redeem(amounts[0])
    _wait(life, draw(st.integers(0, 100)))
    return life


@given(promoted(), PRORATED, st.integers(0, 2))
@histories(short=60, long=2_500)
def test_what_is_not_paid_is_what_the_amounts_have_less(life, proration, place):
    """But for the minor units by which each line's discounts are rounded anew. Where all was discounted
    before, it is so afterwards, and nothing is paid or taken.
    """
    before, total_minor, steps = _left_minor(life), life.ledger.total_minor, len(life.transitions)
    now = Target(version=life.version, items=life.subscription.items)
    was_all_discounted = bool(before) and total_minor == 0
    change(life, moved_to(life, life.plans[place]), proration)
    change(life, now, proration)
    lines = sum(len(step.charges) for step in life.transitions[steps:])
    paid_minor, taken_minor = life.ledger.total_minor - total_minor, before - _left_minor(life)
    assert abs(paid_minor + taken_minor) <= lines
    if was_all_discounted:
        assert abs(paid_minor) <= lines
    check_life(life)


@st.composite
def _plan(draw: st.DrawFn, code: str, interval: Interval) -> PlanVersion:
    codes = ("base", "seats", "support")[: draw(st.integers(1, 3))]
    parts = tuple(
        component(one, "0", prices={"EUR": draw(st.sampled_from(PRICINGS))}) for one in codes
    )
    return version_of(parts, code=code, interval=interval, terms=PlanTerms())


def _wait(life: Life, hours: int) -> None:
    life.now += timedelta(hours=hours)
    life.catch_up()


def _left_minor(life: Life) -> int:
    return sum(one.remaining_minor or 0 for one in life.redemptions.values())
