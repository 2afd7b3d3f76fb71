"""Do the corners hold that generated histories came upon? Each is the smallest story of its kind.

January has 31 days: a month of 31.00 EUR costs one euro a day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billwright.features.catalog.model import (
    ComponentKind,
    PlanComponent,
    PlanComponentId,
    PlanTerms,
    Timing,
)
from billwright.features.invoicing.model import ChargeKind
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.promotions.model import Duration, PromotionKind
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationProration,
    PauseProration,
    Proration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import CancelSubscription
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.items import items_with
from billwright.features.subscriptions.rules.pausing import pause, resume
from billwright.features.subscriptions.rules.transition import ChargingTerms
from billwright.features.subscriptions.rules.trial import extend_trial
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.ids import new_id
from billwright.kernel.proration import Granularity
from billwright.kernel.refusal import Refusal
from tests.features.promotions.redeeming import promotion_of
from tests.histories.checks import check_life
from tests.histories.commands import cancel, moved_to
from tests.histories.life import Life, Start, begun
from tests.histories.plans import version_of

MONTH, YEAR = Interval(IntervalUnit.MONTH), Interval(IntervalUnit.YEAR)
NOW = ChangeTiming()
RESET = ChangeTiming(proration=Proration.FULL_RESET)
FREE_TILL_RENEWAL = ChangeTiming(proration=Proration.NONE)
AT_PERIOD_END = ChangeTiming(effective=Effective.PERIOD_END)


def january(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def component(code: str, price: str, **changes: Any) -> PlanComponent:
    values: dict[str, Any] = {
        "id": PlanComponentId(new_id()),
        "code": code,
        "name": code,
        "timing": Timing.IN_ADVANCE,
        "unit_name": "",
        "prices": {"EUR": Flat(price=Decimal(price))},
    }
    return PlanComponent(**{**values, **changes})


def training(**changes: Any) -> PlanComponent:
    return component("training", "500", kind=ComponentKind.ONE_TIME, **changes)


def storage(price: str = "62.00", **changes: Any) -> PlanComponent:
    return component("storage", price, timing=Timing.IN_ARREARS, **changes)


def a_life(
    *first: PlanComponent,
    second: tuple[PlanComponent, ...] = (),
    interval: Interval = MONTH,
    trial_days: int = 0,
    starts: int = 1,
    **how: Any,
) -> Life:
    """A subscription to the first of two plans since 1 January; the second has the interval given."""
    plans = (
        version_of(first, code="team", interval=MONTH, terms=PlanTerms(trial_days=trial_days)),
        version_of(second, code="pro", interval=interval, terms=PlanTerms(trial_days=trial_days)),
    )
    usual = Start(at=january(starts), currency="EUR", zone="UTC", terms=ChargingTerms())
    return begun(plans, replace(usual, **how), now=january(1))


def seats(price: str, **changes: Any) -> PlanComponent:
    return component("seats", "0", prices={"EUR": PerUnit(price=Decimal(price))}, **changes)


def free_days(count: int) -> dict[str, Any]:
    """Of a seller who counts in days."""
    promotion = promotion_of(PromotionKind.FREE_DAYS, count=count)
    return {"terms": ChargingTerms(Granularity.DAY), "promotions": (promotion,)}


def move(life: Life, day: int, plan: int, timing: ChangeTiming = NOW) -> None:
    life.now = january(day)
    life.catch_up()
    life.change_to(moved_to(life, life.plans[plan]), timing)


def add_on(life: Life, day: int, timing: ChangeTiming = NOW, *, quantity: int = 1) -> None:
    life.now = january(day)
    (own,) = (one for one in life.version.components if one.optional)
    items = items_with(life.subscription, own, quantity=Decimal(quantity))
    life.change_to(Target(version=life.version, items=items), timing)


def rest(life: Life, day: int, proration: PauseProration = PauseProration.NONE) -> None:
    life.now = january(day)
    facts = life.facts_at(life.now)
    how: dict[str, Any] = {"proration": proration, "resumes_at": None}
    life.make(pause(life.subscription, facts, **how, at=life.now, now=life.now))


def go_on(life: Life, day: int) -> None:
    life.now = january(day)
    life.make(resume(life.subscription, life.facts_at(life.now), at=life.now, now=life.now))


def leave(
    life: Life,
    day: int | None = None,
    proration: CancellationProration = CancellationProration.NONE,
) -> None:
    life.now = january(day) if day else life.now
    ask = CancelSubscription(
        subscription_id=life.subscription.id,
        mode=CancellationMode.NOW,
        proration=proration,
    )
    cancel(life, ask)


def euros(life: Life) -> Decimal:
    return Decimal(life.ledger.total_minor) / 100


def test_a_full_reset_credits_what_began_at_its_instant():
    """Base 31.00, less the rest from the 11th (21.00), and 62.00 of the other plan for the same rest
    (42.00), which the reset takes back before it charges a whole period: 31 - 21 + 62.
    """
    life = a_life(component("base", "31.00"), second=(component("base", "62.00"),))
    move(life, 11, 1)
    life.change_to(moved_to(life, life.version), RESET)
    assert euros(life) == 72
    check_life(life)


def test_a_full_reset_takes_back_what_was_charged_early():
    """Storage costs 2.00 a day. The change on the 6th charges all of January at the old price; from the
    reset on the 11th on that is not owed: 20.00, and the new plan's in arrears.
    """
    life = a_life(storage(), second=(storage("31.00"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    assert euros(life) == 62
    move(life, 11, 1, RESET)
    assert euros(life) == 20
    leave(life, 16)  # 5 days at 1.00
    assert euros(life) == 25
    check_life(life)


def test_what_was_missing_to_a_minimum_is_taken_back_with_its_charge():
    """31.00 in arrears with a minimum of 93.00: the change on the 6th charges 31.00 and 62.00 for
    January; the way back on the 11th takes 21 of 31 days back, and 3.00 a day is owed from there on.
    """
    minimum = storage("31.00", minimums={"EUR": 9300})
    life = a_life(minimum, second=(storage("31.00"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    assert euros(life) == 93
    move(life, 11, 0)
    assert euros(life) == 30
    leave(life, 16)
    assert euros(life) == 45
    check_life(life)


def test_a_minimum_that_was_charged_early_is_owed_until_the_end_only():
    """31.00 in advance with a minimum of 62.00; canceled on the 11th without a credit for what was paid
    in advance: 1.00 a day is missing for 10 days.
    """
    life = a_life(component("base", "31.00", minimums={"EUR": 6200}), second=(storage("0"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    assert euros(life) == 62
    leave(life, 11)
    assert euros(life) == 41
    check_life(life)


def test_a_pause_within_a_paid_period_costs_nothing_after_a_change_to_another_interval():
    """January is paid; the year begins where it ends."""
    life = a_life(component("base", "31.00"), second=(component("base", "365.00"),), interval=YEAR)
    move(life, 6, 1, FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    assert euros(life) == 31
    life.now = january(31)
    life.catch_up()
    assert euros(life) == 31
    life.now = datetime(2026, 2, 1, tzinfo=UTC)
    life.catch_up()
    assert euros(life) == 396
    check_life(life)


def test_a_minimum_is_not_owed_before_the_price_that_it_belongs_to():
    """January is paid at 31.00; the minimum of 93.00 holds from February on, also after a pause."""
    minimum = component("base", "31.00", minimums={"EUR": 9300})
    life = a_life(component("base", "31.00"), second=(minimum,))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    assert euros(life) == 31
    there = life.copy()
    leave(there, 21)
    assert euros(there) == 31
    check_life(there)
    life.now = datetime(2026, 3, 1, tzinfo=UTC)
    life.catch_up()
    assert euros(life) == 31 + 93 + 31  # March is paid in advance
    check_life(life)


def test_a_minimum_holds_as_long_as_the_price_that_was_paid_in_advance():
    """31.00 in advance with a minimum of 93.00: 2.00 a day is missing until the renewal, whatever plan or
    quantity there is by then, but for the days of the pause (the 11th to the 15th).
    """
    life = a_life(component("base", "31.00", minimums={"EUR": 9300}), second=(storage("0"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    assert euros(life) == 31 + 20 + 32
    for _ in range(2):  # at one instant that costs nothing
        rest(life, 21)
        go_on(life, 21)
    assert euros(life) == 31 + 20 + 32
    leave(life, 31)
    assert euros(life) == 31 + 20 + 30
    check_life(life)


def test_units_that_come_later_have_no_minimum_until_then():
    """One seat for 31.00 in January with a minimum of 186.00: 5.00 a day is missing for 26 days. The
    second seat, from February on, lowers what is missing only there.
    """
    life = a_life(seats("31.00", minimums={"EUR": 18600}))
    life.now = january(6)
    (own,) = life.version.components
    items = items_with(life.subscription, own, quantity=Decimal(2))
    life.change_to(Target(version=life.version, items=items), FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    assert euros(life) == 31 + 5 * 26
    life.now = datetime(2026, 3, 1, tzinfo=UTC)
    life.catch_up()
    assert euros(life) == 31 + 5 * 26 + 186 + 62
    check_life(life)


def test_free_days_are_days_where_parts_are_counted_in_days():
    """19 days of January are charged, at 1.00 each, and 7 of them were free."""
    life = a_life(component("base", "31.00"), **free_days(7))
    assert euros(life) == 24
    life.now = january(20) + timedelta(hours=21)
    leave(life, proration=CancellationProration.CREDIT)
    assert euros(life) == 12
    check_life(life)


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_free_day_is_worth_a_day_whatever_the_hour_of_a_change(hour):
    """January is free and 9 days more. On the 11th 10 are used up, so that the year of 365.00 that begins
    there has 30 free ones.
    """
    life = a_life(
        component("base", "31.00"),
        second=(component("base", "365.00"),),
        interval=YEAR,
        **free_days(40),
    )
    life.now = january(11) + timedelta(hours=hour)
    life.change_to(moved_to(life, life.plans[1]), NOW)
    assert euros(life) == 365 - 30
    check_life(life)


def test_a_change_at_an_instant_of_a_trial_leaves_the_trial():
    """Both plans have trials of 10 days."""
    life = a_life(component("base", "31.00"), second=(component("base", "62.00"),), trial_days=10)
    timing = ChangeTiming(effective=Effective.AT, at=january(5))
    move(life, 2, 1, timing)
    life.now = january(6)
    life.catch_up()
    assert (life.subscription.state, life.version.plan_code) == (SubscriptionState.TRIALING, "pro")
    life.now = january(11)
    life.catch_up()
    assert euros(life) == 62


def test_extending_a_trial_takes_along_the_change_at_its_end():
    life = a_life(component("base", "31.00"), second=(component("base", "62.00"),), trial_days=10)
    move(life, 2, 1, AT_PERIOD_END)
    end = january(21)
    life.make(extend_trial(life.subscription, life.facts_at(life.now), end=end, now=life.now))
    life.now = january(20)
    life.catch_up()
    assert (life.subscription.state, life.version.plan_code) == (SubscriptionState.TRIALING, "team")
    life.now = end
    life.catch_up()
    assert (life.subscription.state, euros(life)) == (SubscriptionState.ACTIVE, 62)


def test_no_change_comes_before_the_start():
    life = a_life(component("base", "31.00"), second=(component("base", "62.00"),), starts=11)
    with pytest.raises(Refusal) as refused:
        move(life, 2, 1, ChangeTiming(effective=Effective.AT, at=january(5)))
    assert refused.value.code == "effective_at_invalid"
    move(life, 2, 1, ChangeTiming(effective=Effective.AT, at=january(12)))
    life.now = january(13)
    life.catch_up()
    assert life.version.plan_code == "pro"
    check_life(life)


def test_an_add_on_costs_once_whenever_it_is_added():
    for timing in (NOW, FREE_TILL_RENEWAL, AT_PERIOD_END):
        life = a_life(component("base", "31.00"), training(optional=True))
        add_on(life, 6, timing)
        life.now = datetime(2026, 2, 1, tzinfo=UTC)
        life.catch_up()
        assert euros(life) == 31 + 31 + 500, timing
        check_life(life)


def test_an_add_on_that_moves_with_its_plan_does_not_cost_again():
    life = a_life(
        component("base", "31.00"),
        training(optional=True),
        second=(component("base", "31.00"), training(optional=True)),
    )
    add_on(life, 6)
    move(life, 11, 1)
    assert euros(life) == 531
    check_life(life)


def test_a_pause_does_not_make_a_plan_cost_what_its_change_did_not():
    """What a plan charges once is owed when the subscription begins, not by a change of plan."""
    life = a_life(component("base", "31.00"), second=(component("base", "31.00"), training()))
    move(life, 11, 1)
    rest(life, 16, PauseProration.CREDIT)  # 16 of 31 days
    go_on(life, 21)
    assert [one.charge for one in life.ledger.charged(ChargeKind.ONE_TIME)] == []
    assert euros(life) == 31 - 16 + 31
    check_life(life)


def test_the_credit_of_what_cost_nothing_is_nothing():
    """0.10 less a half and less 0.05; of the last tenth of January 0.01 is credited. A tenth of each
    discount is half a cent: rounded one by one, they would come to more than the cent.
    """
    life = a_life(component("base", "0.10"))
    promotions = (
        promotion_of(PromotionKind.PERCENTAGE, percent=Decimal(50)),
        promotion_of(PromotionKind.FIXED_AMOUNT, amount_minor=5),
    )
    life = begun(life.plans, replace(life.start, promotions=promotions), now=january(1))
    life.now = january(28) + timedelta(hours=21, minutes=36)
    leave(life, proration=CancellationProration.CREDIT)
    assert euros(life) == 0
    check_life(life)


def test_what_a_period_owes_is_discounted_as_it_is_when_a_change_ends_it():
    """Each period has 20.00 off. January has 20.00 off its 31.00 in advance, so that the 10 days of
    storage at 2.00 cost 20.00 on the 11th, and the year that begins there 20.00 less than 365.00.
    """
    life = a_life(
        component("base", "31.00"), storage(), second=(component("base", "365.00"),), interval=YEAR
    )
    monthly = promotion_of(PromotionKind.FIXED_AMOUNT, amount_minor=2000, duration=Duration.FOREVER)
    life = begun(life.plans, replace(life.start, promotions=(monthly,)), now=january(1))
    assert euros(life) == 11
    move(life, 11, 1, RESET)
    assert euros(life) == 11 + 20 + 345
    check_life(life)
