"""Which components and terms hold together?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import (
    Alignment,
    ComponentKind,
    PlanComponent,
    PlanComponentId,
    PlanTerms,
    Timing,
)
from billwright.features.catalog.rules.component import check_component
from billwright.features.catalog.rules.currencies import check_minimums
from billwright.features.catalog.rules.terms import check_terms
from billwright.features.pricing.rules.models.flat import Flat
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal

RECURRING, ONE_TIME, USAGE = ComponentKind
MONTH = Interval(IntervalUnit.MONTH)
LARGEST_MINIMUM = 10**15


def a_component(**changes) -> PlanComponent:
    values = {
        "id": PlanComponentId(new_id()),
        "code": "part",
        "name": "Part",
        "timing": Timing.IN_ADVANCE,
        "unit_name": "",
        "prices": {"EUR": Flat(price=Decimal(10))},
    }
    return PlanComponent(**{**values, **changes})


def refusal_of(check, *values, **named) -> tuple[str, str]:
    """The code and the pointer that something is refused with."""
    with pytest.raises(Refusal) as refused:
        check(*values, **named)
    (problem,) = refused.value.problems
    assert problem.code == refused.value.code
    return problem.code, problem.pointer


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"timing": Timing.IN_ARREARS},
        {"free_units": Decimal("0.5"), "minimums": {"EUR": 1}, "optional": True},
        {"kind": ONE_TIME, "optional": True},
        {"kind": USAGE, "timing": Timing.IN_ARREARS, "meter": "calls"},
        {
            "kind": USAGE,
            "timing": Timing.IN_ARREARS,
            "meter": "calls",
            "free_units": Decimal(1000),
            "minimums": {"EUR": 1},
        },
    ],
)
def test_components_that_hold_together(members):
    check_component(a_component(**members), pointer="/components/0")


@pytest.mark.parametrize(
    ("members", "code", "at"),
    [
        ({"kind": ONE_TIME, "timing": Timing.IN_ARREARS}, "component_timing_unsuitable", "timing"),
        ({"kind": USAGE, "meter": "calls"}, "component_timing_unsuitable", "timing"),
        ({"kind": USAGE, "timing": Timing.IN_ARREARS}, "component_meter_missing", "meter"),
        ({"meter": "calls"}, "component_member_unsuitable", "meter"),
        ({"kind": ONE_TIME, "meter": "calls"}, "component_member_unsuitable", "meter"),
        (
            {"kind": ONE_TIME, "free_units": Decimal(1)},
            "component_member_unsuitable",
            "free_units",
        ),
        ({"kind": ONE_TIME, "minimums": {"EUR": 1}}, "component_member_unsuitable", "minimums"),
        ({"free_units": Decimal("-0.1")}, "pricing_invalid", "free_units"),
        ({"free_units": Decimal("0.0000001")}, "pricing_invalid", "free_units"),
    ],
)
def test_members_that_do_not_fit_the_kind_are_refused_where_they_are(members, code, at):
    component = a_component(**members)
    refused = refusal_of(check_component, component, pointer="/components/3")
    assert refused == (code, f"/components/3/{at}")


@pytest.mark.parametrize(
    ("minimums", "code", "index"),
    [
        ([("USD", 1)], "minimum_without_price", 0),
        ([("EUR", 1), ("EUR", 2)], "minimum_without_price", 1),
        ([("JPY", 1), ("EUR", 0)], "minimum_out_of_range", 1),
        ([("EUR", -1)], "minimum_out_of_range", 0),
        ([("EUR", LARGEST_MINIMUM + 1)], "minimum_out_of_range", 0),
    ],
)
def test_minimums_are_in_the_currencies_of_the_prices_and_can_be_charged(minimums, code, index):
    named: dict[str, Any] = {
        "currencies": ["EUR", "JPY"],
        "component_code": "part",
        "pointer": "/components/0",
    }
    check_minimums([("JPY", 1), ("EUR", LARGEST_MINIMUM)], **named)
    refused = refusal_of(check_minimums, minimums, **named)
    assert refused == (code, f"/components/0/minimums/{index}")


@pytest.mark.parametrize(
    ("term", "least", "largest"),
    [("trial_days", 0, 730), ("notice_days", 0, 3650), ("commitment_days", 0, 3650)],
)
def test_terms_have_bounds(term, least, largest):
    for accepted in (least, largest):
        check_terms(PlanTerms(**{term: accepted}), MONTH)
    for wrong in (least - 1, largest + 1):
        refused = refusal_of(check_terms, PlanTerms(**{term: wrong}), MONTH)
        assert refused == ("plan_term_out_of_range", f"/terms/{term}")


@given(
    st.one_of(st.none(), st.integers(-1, 40)),
    st.sampled_from(Alignment),
    st.sampled_from(IntervalUnit),
)
def test_a_day_of_month_is_for_months_and_years_along_the_calendar(day, alignment, unit):
    terms = PlanTerms(alignment=alignment, calendar_day=day)
    dated = alignment is Alignment.CALENDAR and unit in {IntervalUnit.MONTH, IntervalUnit.YEAR}
    if day is None or (1 <= day <= 31 and dated):
        check_terms(terms, Interval(unit))
        return
    expected = "calendar_day_unsuitable" if 1 <= day <= 31 else "plan_term_out_of_range"
    refused = refusal_of(check_terms, terms, Interval(unit))
    assert refused == (expected, "/terms/calendar_day")
