"""Which plans and promotions do generated histories have?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from billwright.features.catalog.model import (
    Alignment,
    ComponentKind,
    PlanComponent,
    PlanComponentId,
    PlanId,
    PlanTerms,
    PlanVersion,
    PlanVersionId,
    Timing,
    TrialEndBehavior,
)
from billwright.features.pricing.rules.models.cost_plus import CostPlus
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.graduated import Graduated
from billwright.features.pricing.rules.models.package import Package
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.models.stairstep import Stairstep
from billwright.features.pricing.rules.models.volume import Volume
from billwright.features.pricing.rules.tiers import Step, Tier
from billwright.features.promotions.model import Duration, Promotion, PromotionKind
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.features.promotions.redeeming import promotion_of
from tests.histories.ids import next_id

CURRENCIES = ("EUR", "JPY", "KWD")
ZONES = (
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Auckland",
)
STARTS = tuple(
    datetime.fromisoformat(text)
    for text in (
        "2026-01-15T12:00:00+00:00",
        "2026-01-31T23:30:00+00:00",
        "2024-02-29T11:22:33+00:00",
        "2026-03-28T01:30:00+00:00",  # the day before clocks go forward in Berlin
        "2026-10-25T00:30:00+00:00",  # the hour that Berlin repeats
        "2026-10-03T15:15:00+00:00",  # Lord Howe goes forward by half an hour
        "2026-11-01T05:30:00.250000+00:00",  # the hour that New York repeats
        "2026-12-30T22:00:00+00:00",
    )
)
INTERVALS = (
    Interval(IntervalUnit.MONTH),
    Interval(IntervalUnit.YEAR),
    Interval(IntervalUnit.MONTH, 3),
    Interval(IntervalUnit.WEEK),
    Interval(IntervalUnit.DAY),
    Interval(IntervalUnit.DAY, 10),
    Interval(IntervalUnit.HOUR, 36),
)
_TIERS = (
    Tier(up_to=Decimal(5), unit_price=Decimal("7.77"), flat_price=Decimal("3.10")),
    Tier(up_to=None, unit_price=Decimal("5.55")),
)
PRICINGS = (
    PerUnit(price=Decimal("9.90")),
    Flat(price=Decimal("29.00")),
    Flat(price=Decimal(0)),
    PerUnit(price=Decimal("0.333333333333")),
    Graduated(tiers=_TIERS),
    Volume(tiers=_TIERS),
    Stairstep(
        tiers=(
            Step(up_to=Decimal(3), flat_price=Decimal(10)),
            Step(up_to=None, flat_price=Decimal("33.33")),
        )
    ),
    Package(price=Decimal("12.34"), package_size=Decimal(3), free_units=Decimal(1)),
    CostPlus(base=Decimal("100.01"), margin_percent=Decimal("12.5"), margin_fixed=Decimal("0.005")),
    Flat(price=Decimal(1000)),
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A component that a plan may have."""

    code: str
    kind: ComponentKind
    timing: Timing
    optional: bool = False


_KINDS = (
    _Kind("base", ComponentKind.RECURRING, Timing.IN_ADVANCE),
    _Kind("seats", ComponentKind.RECURRING, Timing.IN_ADVANCE),
    _Kind("storage", ComponentKind.RECURRING, Timing.IN_ARREARS),
    _Kind("calls", ComponentKind.USAGE, Timing.IN_ARREARS),
    _Kind("setup", ComponentKind.ONE_TIME, Timing.IN_ADVANCE),
    _Kind("support", ComponentKind.RECURRING, Timing.IN_ADVANCE, optional=True),
    _Kind("training", ComponentKind.ONE_TIME, Timing.IN_ADVANCE, optional=True),
    _Kind("backup", ComponentKind.RECURRING, Timing.IN_ARREARS, optional=True),
)
METER = "calls"


@st.composite
def component_sets(draw: st.DrawFn) -> tuple[PlanComponent, ...]:
    """One to four components, of which one at least is not an add-on."""
    first = draw(st.integers(0, 3))
    others = draw(st.lists(st.integers(0, len(_KINDS) - 1), max_size=3))
    kinds = [_KINDS[place] for place in sorted({first, *others})]
    return tuple(
        _component(kind, choice=draw(st.integers(0, 999)), price=draw(st.sampled_from(PRICINGS)))
        for kind in kinds
    )


def _component(kind: _Kind, *, choice: int, price: Any) -> PlanComponent:
    once = kind.kind is ComponentKind.ONE_TIME
    has_minimum = not once and choice % 4 == 1
    return PlanComponent(
        id=PlanComponentId(next_id()),
        code=kind.code,
        name=kind.code.capitalize(),
        timing=kind.timing,
        unit_name="unit",
        prices=dict.fromkeys(CURRENCIES, price),
        kind=kind.kind,
        optional=kind.optional,
        free_units=Decimal(0 if once else (0, 1, 2)[choice % 3]),
        minimums=dict.fromkeys(CURRENCIES, 4000 + choice) if has_minimum else {},
        meter=METER if kind.kind is ComponentKind.USAGE else None,
    )


def version_of(
    components: tuple[PlanComponent, ...], *, code: str, interval: Interval, terms: PlanTerms
) -> PlanVersion:
    """A plan of these components."""
    return PlanVersion(
        id=PlanVersionId(next_id()),
        plan_id=PlanId(next_id()),
        plan_code=code,
        number=1,
        name=code.capitalize(),
        interval=interval,
        tax_category="standard",
        components=components,
        features=(),
        created_at=STARTS[0],
        terms=terms,
    )


@st.composite
def plans(draw: st.DrawFn) -> tuple[PlanVersion, ...]:
    """Three plans: two of one interval, and one of another."""
    interval, other = draw(
        st.lists(st.sampled_from(INTERVALS), min_size=2, max_size=2, unique=True)
    )
    return tuple(
        version_of(draw(component_sets()), code=code, interval=own, terms=draw(terms(own)))
        for code, own in (("team", interval), ("pro", interval), ("other", other))
    )


@st.composite
def terms(draw: st.DrawFn, interval: Interval) -> PlanTerms:
    """Mostly none in particular."""
    choice = draw(st.integers(0, 63))
    is_calendar = choice % 4 == 1
    has_days = interval.unit in {IntervalUnit.MONTH, IntervalUnit.YEAR}
    return PlanTerms(
        alignment=Alignment.CALENDAR if is_calendar else Alignment.ANNIVERSARY,
        calendar_day=31 if is_calendar and has_days and choice // 4 % 2 else None,
        trial_days=(0, 0, 0, 14)[choice // 8 % 4],
        trial_end_behavior=tuple(TrialEndBehavior)[choice % 3],
        notice_days=(0, 0, 0, 5)[choice // 16],
        ends_at_period_end=choice == 63,
    )


def promotions(currency: str) -> st.SearchStrategy[Promotion]:
    """Of each kind and duration."""
    return st.sampled_from(tuple(_promotions(currency)))


def _promotions(currency: str) -> Iterator[Promotion]:
    for duration, periods in (
        (Duration.ONCE, None),
        (Duration.PERIODS, 2),
        (Duration.FOREVER, None),
    ):
        lasting = {"duration": duration, "duration_periods": periods}
        yield promotion_of(
            PromotionKind.PERCENTAGE, percent=Decimal("33.3333"), amount_minor=None, **lasting
        )
        yield promotion_of(
            PromotionKind.FIXED_AMOUNT, amount_minor=2501, currency=currency, **lasting
        )
    yield promotion_of(PromotionKind.FREE_PERIODS, count=2)
    yield promotion_of(PromotionKind.FREE_DAYS, count=7)
