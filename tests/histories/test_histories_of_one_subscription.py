"""Does a subscription pay for exactly what it was served, whatever happens to it?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.subscriptions.model import (
    Activation,
    CancellationMode,
    CancellationProration,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    Terms,
)
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.transition import ChargingTerms
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from tests.histories.checks import check_life
from tests.histories.commands import HANDLERS, cancel, carry_out, changes, commands
from tests.histories.life import Life, Start, begun
from tests.histories.plans import CURRENCIES, STARTS, ZONES, plans, promotions
from tests.histories.profile import histories

CHARGING = st.builds(
    ChargingTerms,
    st.sampled_from((Granularity.SECOND, Granularity.SECOND, Granularity.DAY)),
    st.sampled_from((Rounding.HALF_UP, Rounding.HALF_UP, *Rounding)),
)


@st.composite
def starts(draw: st.DrawFn, *, promoted: bool = True) -> Start:
    """Mostly now and simple."""
    currency = draw(st.sampled_from(CURRENCIES))
    choice = draw(st.integers(0, 15))
    return Start(
        at=draw(st.sampled_from(STARTS)),
        currency=currency,
        zone=draw(st.sampled_from(ZONES)),
        terms=draw(CHARGING),
        quantity=Decimal((1, 3)[choice % 2]),
        trial_days=(0, 0, None, 14)[choice // 2 % 4],
        activation=Activation.ON_FIRST_PAYMENT if choice == 15 else Activation.IMMEDIATE,
        promotions=tuple(draw(st.lists(promotions(currency), max_size=2))) if promoted else (),
    )


@st.composite
def lives(draw: st.DrawFn, *, promoted: bool = True) -> Life:
    """A subscription that was begun now, earlier, or will be later."""
    start = draw(starts(promoted=promoted))
    late = timedelta(days=draw(st.sampled_from((0, 0, 0, 0, 45, -3))))
    return begun(draw(plans()), start, now=start.at + late)


ENDS = st.sampled_from(CancellationProration)


@given(lives(), st.lists(commands(HANDLERS), min_size=1, max_size=9), ENDS)
@histories(short=200, long=7_000)
def test_it_is_charged_for_what_it_was_served(life, story, proration):
    for command in story:
        carry_out(life, command)
    end(life, proration)
    check_life(life)


@given(lives(), st.lists(changes(), min_size=2, max_size=7), ENDS)
@histories(short=200, long=8_000)
def test_it_is_charged_for_what_it_was_served_while_it_changes(life, story, proration):
    for command in story:
        carry_out(life, command)
    end(life, proration)
    check_life(life)


def end(life: Life, proration: CancellationProration) -> None:
    """Close the books: nothing is owed later."""
    life.catch_up()
    if not LIFECYCLE.allows(life.subscription.state, Action.CANCEL):
        return
    cancel(
        life,
        CancelSubscription(
            subscription_id=life.subscription.id,
            mode=CancellationMode.NOW,
            proration=proration,
            terms=Terms.WAIVE,
        ),
    )
    assert life.subscription.state in {SubscriptionState.CANCELED, SubscriptionState.EXPIRED}
    assert life.subscription.next_action_at is None
