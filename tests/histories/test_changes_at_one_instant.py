"""Does it matter on which way a subscription comes from one plan to another at one instant?"""

from __future__ import annotations

from collections import Counter, defaultdict
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from billwright.features.catalog.model import ComponentKind, PlanVersion, Timing
from billwright.features.invoicing.model import ChargeKind
from billwright.features.promotions.model import PromotionKind
from billwright.features.subscriptions.model import (
    CancellationProration,
    Proration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming
from billwright.features.subscriptions.rules.change import Target
from tests.histories.checks import check_life, component_of
from tests.histories.commands import HANDLERS, carry_out, commands, moved_to
from tests.histories.life import Life
from tests.histories.profile import histories
from tests.histories.served import proration_of
from tests.histories.test_histories_of_one_subscription import end, lives

PRORATED = st.sampled_from((Proration.INVOICE_NOW, Proration.NEXT_INVOICE))
PLACES = st.integers(0, 2)


@st.composite
def settled(draw: st.DrawFn, *, promoted: bool = False) -> Life:
    """A subscription somewhere in a paid period, with nothing pending, that has been charged for what it
    has: after a change without proration, it has not.
    """
    life = draw(lives(promoted=promoted))
    for command in draw(st.lists(commands(HANDLERS), max_size=4)):
        carry_out(life, command)
    subscription = life.subscription
    assume(subscription.state is SubscriptionState.ACTIVE)
    assume(subscription.pending_change is None)
    assume(not any(proration_of(step) is Proration.NONE for step in life.transitions))
    return life


@given(settled(), PRORATED, PLACES)
@histories(short=60, long=2_500)
def test_changing_and_changing_back_costs_nothing(life, proration, place):
    """A→B→A at one instant nets to zero for each component that is paid in advance. What is in arrears
    is charged up to that instant and from it on, so that at the end it differs by what the additional
    lines are rounded by; so does a minimum. (Usage is priced anew in each part of a period.)
    """
    there, now = life.copy(), Target(version=life.version, items=life.subscription.items)
    other = _like(life, life.version, place)
    change(there, moved_to(there, other), proration)
    change(there, now, proration)
    assert _net(there, ChargeKind.RECURRING, Timing.IN_ADVANCE) == _net(
        life, ChargeKind.RECURRING, Timing.IN_ADVANCE
    )
    for one in (life, there):
        one.now += (one.subscription.period.end - one.now) / 2
        end(one, CancellationProration.CREDIT)
    check_life(there)
    for kind in (ChargeKind.RECURRING, ChargeKind.MINIMUM):
        before, after = (_net(one, kind, *Timing) for one in (life, there))
        lines = len(there.ledger.charged(kind)) * 2
        assert all(
            abs(before.get(key, 0) - after.get(key, 0)) <= lines
            for key in before.keys() | after.keys()
        )


@given(settled(), PRORATED, PLACES, PLACES)
@histories(short=60, long=1_500)
def test_a_change_may_be_split(life, proration, first, second):
    """A→C and A→B→C come to the same for every component, in the end too."""
    by = _like(life, life.version, first)
    target = _like(life, by, second)
    assume(target is not life.version)  # there and back is another question
    straight, around = life.copy(), life.copy()
    at_last = moved_to(life, target)
    change(straight, at_last, proration)
    change(around, moved_to(around, by), proration)
    change(around, at_last, proration)
    for one in (straight, around):
        one.now += (one.subscription.period.end - one.now) / 2
        end(one, CancellationProration.CREDIT)
    check_life(around)
    for kind in ChargeKind:
        assert _net(around, kind, *Timing) == _net(straight, kind, *Timing)


@given(settled(promoted=True), PRORATED, PLACES)
@histories(short=60, long=2_500)
def test_changing_back_keeps_promotions(life, proration, place):
    """A→B→A returns to a promotion what it takes again, but for minor units where the discount of a
    line is rounded anew. (Free days and what is in arrears pass with the instant itself, and what is
    left of an amount is taken by whatever is charged next.)
    """
    kinds = {one.kind for one in life.redemptions.values()}
    assume(PromotionKind.FREE_DAYS not in kinds)
    assume(not any(one.remaining_minor for one in life.redemptions.values()))
    # An amount that each period has anew is there for what the change itself charges in arrears.
    assume(not any(one.renews_amount for one in life.redemptions.values()))
    now = Target(version=life.version, items=life.subscription.items)
    before = _discounted(life)
    change(life, moved_to(life, _like(life, life.version, place)), proration)
    change(life, now, proration)
    lines = sum(len(step.charges) for step in life.transitions[-2:])
    after = _discounted(life)
    assert all(abs(after[key] - before[key]) <= lines for key in life.redemptions)
    check_life(life)


def change(life: Life, target: Target, proration: Proration) -> None:
    """At once."""
    life.change_to(target, ChangeTiming(proration=proration))


def _net(life: Life, kind: ChargeKind, *timings: Timing) -> dict[UUID, int]:
    """What the components came to after all, before discounts, in minor units; none that cost nothing."""
    net: dict[UUID, int] = defaultdict(int)
    for one in life.ledger.written.values():
        component = component_of(life, one)
        if one.charge.kind is kind and component.timing in timings:
            net[component.id] += one.net_listed_minor
    return {component_id: amount for component_id, amount in net.items() if amount}


def _discounted(life: Life) -> Counter[UUID]:
    """What each promotion took off what is paid in advance, after what credits returned; a fixed
    amount off all lines, since it is shared among those that there are.
    """
    taken: Counter[UUID] = Counter()
    for one in life.ledger.written.values():
        component = component_of(life, one)
        is_ahead = one.charge.kind is ChargeKind.RECURRING and component.timing is Timing.IN_ADVANCE
        for redemption_id, amount in (
            *one.charge.discounts,
            *(one.credit.discounts if one.credit else ()),
        ):
            kind = life.redemptions[redemption_id].kind
            if is_ahead or kind is PromotionKind.FIXED_AMOUNT:
                taken[redemption_id] += amount
    return taken


def _like(life: Life, version: PlanVersion, place: int) -> PlanVersion:
    """A plan whose periods go on with those that run, and that owes nothing once: what was owed once
    stays owed when its plan is left.
    """
    plans = [
        plan
        for plan in life.plans
        if plan.interval == version.interval == life.subscription.schedule.interval
        and all(one.kind is not ComponentKind.ONE_TIME for one in plan.components)
    ]
    return plans[place % len(plans)] if plans else version
