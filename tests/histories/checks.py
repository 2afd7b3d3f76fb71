"""What must hold of what a subscription was charged, whatever its history was?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from billwright.features.catalog.model import ComponentKind, PlanComponent, Timing
from billwright.features.invoicing.model import ChargeKind
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.promotions.model import Duration, PromotionKind, Redemption
from billwright.features.promotions.rules.discounts import SECONDS_OF_DAY
from billwright.features.subscriptions.model import SubscriptionState
from billwright.kernel.currency import currency_of
from billwright.kernel.proration import Granularity, share_of
from tests.histories.ledger import Written
from tests.histories.life import Life

_SECOND = timedelta(seconds=1)
_LONGEST = timedelta(days=366)


def check_life(life: Life) -> None:
    """Everything."""
    periods_tile(life)
    charged_is_served(life)
    amounts_are_exact(life)
    usage_is_charged_once(life)
    minimums_hold(life)
    charged_once(life)
    promotions_give_what_they_have(life)


def periods_tile(life: Life) -> None:
    """Each step begins a period where the last one ended, keeps it, or begins one at its instant."""
    for transition in life.transitions[1:]:
        before, after = transition.before.period, transition.after.period
        assert after.start < after.end
        if transition.action == "subscription.renew":
            assert after.start == before.end
        elif transition.action == "subscription.extend_trial":
            assert after.start == before.start
        elif transition.before.state is SubscriptionState.TRIALING:
            assert after.start in {before.start, transition.at}
        elif transition.before.state is not SubscriptionState.SCHEDULED:
            assert after == before or after.start == transition.at


def charged_is_served(life: Life) -> None:
    """At each instant, exactly the components that are served are charged, at their units and price."""
    charges = life.ledger.charged(ChargeKind.RECURRING)
    windows = [(one, *_window(one, life)) for one in charges]
    instants = {moment.at for moment in life.service.moments}
    instants |= {edge for _, start, end in windows for edge in (start, end)}
    ended_at = life.subscription.ended_at or life.now
    for begin, end in pairwise(sorted(instants)):
        charged = [one for one, start, until in windows if start <= begin and end <= until]
        moment = life.service.at(begin)
        keys = [one.charge.plan_component_id for one in charged]
        assert len(keys) == len(set(keys)), f"charged twice from {begin} to {end}"
        for one in charged:
            component = component_of(life, one)
            served = moment.recurring.get(component.id)
            if served is None:
                may_cover = moment.keeps_advance and component.timing is Timing.IN_ADVANCE
                assert may_cover, f"{component.code} charged from {begin}, not served"
            else:
                assert one.charge.quantity == served.quantity
                assert _pricing(one, component, life) == served.pricing
        for key, served in moment.recurring.items():
            owed_later = served.component.timing is Timing.IN_ARREARS and not (
                life.subscription.ended_at
            )
            assert key in keys or owed_later or begin >= ended_at, (
                f"{served.component.code} served from {begin} to {end}, not charged"
            )


def amounts_are_exact(life: Life) -> None:
    """What a charge comes to after its credit differs from the exact price of the time that it is owed
    for by at most one minor unit: the charge and the credit are each rounded once, by at most half a
    unit, or by less than one unit in the same direction. The exact shares of one whole period sum to at
    most one, so that n charges of one component in it exceed its full price by at most n units.
    """
    full: dict[tuple[UUID, datetime], list[tuple[int, Fraction]]] = defaultdict(list)
    for one in life.ledger.charged(ChargeKind.RECURRING):
        component = component_of(life, one)
        exact_minor = _exact_minor(one, component, life)
        assert abs(one.net_listed_minor - exact_minor) <= 1, (component.code, one)
        if one.live.reversed_from is None:
            assert abs(one.net_listed_minor - exact_minor) < 1
        assert one.credit is None or one.net_listed_minor >= 0
        full[component.id, one.whole.start].append(
            (one.net_listed_minor, _whole_minor(one, component, life))
        )
    for parts in full.values():
        if not life.service.resets:
            largest = max(price for _, price in parts)
            assert sum(net for net, _ in parts) <= largest + len(parts)


def usage_is_charged_once(life: Life) -> None:
    """What was used while usage was charged for is on exactly one charge."""
    by_component: dict[UUID, list[Written]] = defaultdict(list)
    for one in life.ledger.charged(ChargeKind.USAGE):
        by_component[component_of(life, one).id].append(one)
    for charges in by_component.values():
        charges.sort(key=lambda one: one.charge.period_start)
        for earlier, later in pairwise(charges):
            assert earlier.charge.period_end <= later.charge.period_start
    charged = sum(
        (one.charge.quantity for one in life.ledger.charged(ChargeKind.USAGE)), Decimal(0)
    )
    ended_at = life.subscription.ended_at
    if ended_at is not None:
        assert charged == sum(
            units * len(life.service.at(when).usage) for when, units in life.used if when < ended_at
        )


def minimums_hold(life: Life) -> None:
    """While a component is served whose price is below its minimum, what is missing is charged exactly
    once, within two minor units for each charge: it is the difference of two rounded amounts, and so
    is its credit.
    """
    charges = life.ledger.charged(ChargeKind.MINIMUM)
    windows = [(one, one.charge.period_start, one.served_until) for one in charges]
    for one, start, until in windows:
        missing_minor = _missing_minor(life, component_of(life, one), at=start)
        if missing_minor is not None:
            owed_minor = missing_minor * _share(one, life, until=until)
            assert abs(one.net_listed_minor - owed_minor) <= 2, (one, owed_minor)
    if life.subscription.ended_at is None:
        return
    instants = {moment.at for moment in life.service.moments}
    instants |= {edge for _, start, until in windows for edge in (start, until)}
    for begin, end in pairwise(sorted(instants)):
        own = [
            one.charge.plan_component_id for one, start, until in windows if start <= begin < until
        ]
        assert len(own) == len(set(own))
        moment = life.service.at(begin)
        assert set(own) <= moment.recurring.keys() | moment.usage
        for key, served in moment.recurring.items():
            missing_minor = _missing_minor(life, served.component, at=begin)
            # A fraction of a unit may be rounded away, and a part of a day is no day.
            few = (
                missing_minor is None
                or missing_minor * Fraction((end - begin) // _SECOND, _LONGEST // _SECOND) < 2
            )
            is_day = life.start.terms.granularity is Granularity.DAY
            assert key in own or few or is_day, f"{served.component.code} from {begin} to {end}"


def _missing_minor(life: Life, component: PlanComponent, *, at: datetime) -> Fraction | None:
    """What the whole period of a component is below its minimum; none of usage, which is known later."""
    served = life.service.at(at).recurring.get(component.id)
    currency = life.subscription.currency
    if served is None:
        return None
    units = max(served.quantity - component.free_units, Decimal(0))
    price_minor: Fraction = served.pricing.amount(units) * 10 ** currency_of(currency).exponent
    return max(component.minimums.get(currency, 0) - price_minor, Fraction(0))


def charged_once(life: Life) -> None:
    """What is owed once is charged once, with its add-on or when the paid life begins."""
    charged = [one.charge.plan_component_id for one in life.ledger.charged(ChargeKind.ONE_TIME)]
    assert sorted(map(str, charged)) == sorted(map(str, life.service.once))


def promotions_give_what_they_have(life: Life) -> None:
    """Never more than the promotion has, and never more than a line costs."""
    # By redemption and period: what was taken off and not returned.
    given: dict[UUID, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for one in life.ledger.written.values():
        assert one.charge.discount_minor <= one.live.listed_minor
        for key, amount_minor in one.charge.discounts:
            given[key][one.promoted_in] += amount_minor
        for key, amount_minor in one.credit.discounts if one.credit else ():
            given[key][one.promoted_in] += amount_minor
    began_late = len(life.transitions) and life.transitions[0].at > life.start.at
    for redemption in life.redemptions.values():
        own = given[redemption.id]
        _gives_what_it_has(redemption, given_minor=sum(own.values()))
        if began_late:  # its first periods were charged together
            continue
        if redemption.kind is PromotionKind.FREE_PERIODS:
            assert len(own) <= (redemption.count or 0)
        if redemption.renews_amount:
            assert all(0 <= minor <= (redemption.amount_minor or 0) for minor in own.values())
    if [one.kind for one in life.redemptions.values()] == [PromotionKind.FREE_DAYS]:
        _days_are_given_once(life)


def _gives_what_it_has(redemption: Redemption, *, given_minor: int) -> None:
    assert given_minor >= 0
    if redemption.remaining_periods is not None:
        assert redemption.remaining_periods >= 0
    if redemption.remaining_seconds is not None:
        assert 0 <= redemption.remaining_seconds <= (redemption.count or 0) * SECONDS_OF_DAY
    if redemption.kind is PromotionKind.FIXED_AMOUNT:
        assert redemption.amount_minor is not None
        assert 0 <= (redemption.remaining_minor or 0) <= redemption.amount_minor
        if redemption.duration is Duration.ONCE:
            assert given_minor + (redemption.remaining_minor or 0) == redemption.amount_minor


def _days_are_given_once(life: Life) -> None:
    """Each component has at most so many days free: a line that was free by a half counts with a half
    of its time, within what a minor unit of each line is worth. Its time is what its price counts.
    """
    (redemption,) = life.redemptions.values()
    free: dict[str, Fraction] = defaultdict(Fraction)
    for one, taken_minor in discounts_by_line(life):
        if one.charge.kind is ChargeKind.RECURRING and one.net_listed_minor > 0:
            part = Fraction(max(taken_minor - 2, 0), one.net_listed_minor + 2)
            seconds = _share(one, life, until=one.served_until) * (
                (one.whole.end - one.whole.start) // _SECOND
            )
            free[component_of(life, one).code] += part * seconds
    assert all(seconds <= (redemption.count or 0) * SECONDS_OF_DAY for seconds in free.values()), (
        free
    )


def _window(one: Written, life: Life) -> tuple[datetime, datetime]:
    """The time that a charge is owed for; a full reset abandons what was paid in advance before it."""
    start, until = one.charge.period_start, one.served_until
    if component_of(life, one).timing is Timing.IN_ADVANCE:
        until = min([until, *(reset for reset in life.service.resets if start < reset)])
    return start, until


def component_of(life: Life, one: Written) -> PlanComponent:
    """What a charge is for."""
    return next(
        component
        for version in life.plans
        for component in version.components
        if component.id == one.charge.plan_component_id
    )


def _pricing(one: Written, component: PlanComponent, life: Life) -> Pricing:
    own = one.charge.basis.pricing if one.charge.basis else None
    return own or component.prices[life.subscription.currency]


def _whole_minor(one: Written, component: PlanComponent, life: Life) -> Fraction:
    """The exact price of the whole period."""
    assert component.kind is ComponentKind.RECURRING
    units = max(one.charge.quantity - component.free_units, Decimal(0))
    scale = 10 ** currency_of(life.subscription.currency).exponent
    price: Fraction = _pricing(one, component, life).amount(units)
    return price * scale


def _exact_minor(one: Written, component: PlanComponent, life: Life) -> Fraction:
    return _whole_minor(one, component, life) * _share(one, life, until=one.served_until)


def _share(one: Written, life: Life, *, until: datetime) -> Fraction:
    start, whole = one.charge.period_start, one.whole
    if life.start.terms.granularity is Granularity.DAY:
        return share_of(
            part_start=start,
            part_end=until,
            whole=whole,
            granularity=Granularity.DAY,
            zone=one.charge.basis.zone if one.charge.basis else life.zone,
        )
    seconds = (until - whole.start) // _SECOND - (start - whole.start) // _SECOND
    return Fraction(seconds, (whole.end - whole.start) // _SECOND)


def discounts_by_line(life: Life) -> Iterator[tuple[Written, int]]:
    """Each line with what was taken off it after all."""
    for one in life.ledger.written.values():
        returned = one.credit.discount_minor if one.credit else 0
        yield one, one.charge.discount_minor + returned
