"""Which rate holds where, for what and when?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations, groupby, pairwise

import pytest

from billwright.features.tax.model import CategoryCode, TaxDecision, Treatment, TreatmentKind
from billwright.features.tax.rules.rate import line_rate
from billwright.features.tax.rules.rate_table import RATES, rate_on, rates_on
from billwright.features.tax.rules.tax_point import tax_point
from billwright.features.tax.rules.territory import MEMBER_STATES
from billwright.kernel.refusal import Refusal

TODAY = date(2026, 1, 15)
COVERED = sorted({*MEMBER_STATES, "GB", "CH", "NO"})


@pytest.mark.parametrize("country", COVERED)
def test_a_standard_rate_holds_on_every_day(country):
    day = date(2020, 1, 1)
    while day <= date(2030, 12, 31):
        rate = rate_on(country, category="standard", on=day)
        assert Decimal("0.07") < rate < Decimal("0.28"), day
        day += timedelta(days=1)


def test_the_table_covers_the_union_and_three_neighbors():
    assert sorted({row.country for row in RATES}) == COVERED


def test_rows_of_one_category_never_overlap_and_a_change_leaves_no_gap():
    for key, rows in groupby(
        sorted(RATES, key=lambda row: (row.country, row.category, row.valid_from)),
        key=lambda row: (row.country, row.category),
    ):
        for earlier, later in pairwise(rows):
            assert earlier.valid_until is not None, key
            assert earlier.valid_until + timedelta(days=1) == later.valid_from, key


def test_rows_are_sound():
    for row in RATES:
        assert row.source
        assert row.category in {"standard", "reduced", "second_reduced", "super_reduced", "zero"}
        assert 0 <= row.rate < 1
        assert row.valid_until is None or row.valid_from <= row.valid_until
        assert (row.rate == 0) == (row.category == "zero")


@pytest.mark.parametrize("on", [date(2024, 6, 1), date(2025, 9, 1), date(2026, 11, 1)])
@pytest.mark.parametrize("country", COVERED)
def test_categories_are_ordered_as_their_names_say(country, on):
    rates = rates_on(country, on)
    order = ["zero", "super_reduced", "reduced", "second_reduced", "standard"]
    present = [rates[category] for category in order if category in rates]
    assert all(lower < higher for lower, higher in combinations(present, 2))


@pytest.mark.parametrize(
    ("country", "category", "last", "before", "after"),
    [
        ("DE", "standard", date(2020, 6, 30), "0.19", "0.16"),
        ("DE", "standard", date(2020, 12, 31), "0.16", "0.19"),
        ("DE", "reduced", date(2020, 12, 31), "0.05", "0.07"),
        ("IE", "standard", date(2020, 8, 31), "0.23", "0.21"),
        ("IE", "standard", date(2021, 2, 28), "0.21", "0.23"),
        ("EE", "standard", date(2023, 12, 31), "0.20", "0.22"),
        ("EE", "standard", date(2025, 6, 30), "0.22", "0.24"),
        ("SK", "standard", date(2024, 12, 31), "0.20", "0.23"),
        ("FI", "standard", date(2024, 8, 31), "0.24", "0.255"),
        ("FI", "second_reduced", date(2025, 12, 31), "0.14", "0.135"),
        ("RO", "standard", date(2025, 7, 31), "0.19", "0.21"),
        ("RO", "reduced", date(2025, 7, 31), "0.05", "0.11"),
        ("LU", "standard", date(2022, 12, 31), "0.17", "0.16"),
        ("LU", "standard", date(2023, 12, 31), "0.16", "0.17"),
        ("CZ", "reduced", date(2023, 12, 31), "0.10", "0.12"),
        ("LT", "second_reduced", date(2025, 12, 31), "0.09", "0.12"),
        ("CH", "standard", date(2023, 12, 31), "0.077", "0.081"),
    ],
)
def test_a_change_takes_effect_on_its_day(country, category, last, before, after):
    assert rate_on(country, category=category, on=last) == Decimal(before)
    assert rate_on(country, category=category, on=last + timedelta(days=1)) == Decimal(after)


@pytest.mark.parametrize(
    ("country", "category", "on"),
    [
        ("US", "standard", TODAY),
        ("DK", "reduced", TODAY),
        ("CZ", "second_reduced", date(2024, 1, 1)),
        ("CH", "standard", date(2017, 12, 31)),
        ("DE", "luxury", TODAY),
        ("ES-CN", "standard", TODAY),
    ],
)
def test_what_is_not_in_the_table_is_refused(country, category, on):
    with pytest.raises(Refusal) as refused:
        rate_on(country, category=category, on=on)
    assert refused.value.code == "tax_rate_unknown"
    assert refused.value.facts == {
        "country": country,
        "tax_category": category,
        "on": on,
    }


def taxed_in(country: str) -> TaxDecision:
    kind = TreatmentKind.DOMESTIC if country == "DE" else TreatmentKind.EU_B2C_OSS
    return TaxDecision(Treatment(kind, country, CategoryCode.STANDARD), None, engine="vat")


@pytest.mark.parametrize(
    ("category", "country", "own_rates", "rate"),
    [
        ("standard", "DE", {}, "0.19"),
        ("standard", "DE", {"standard": Decimal("0.16")}, "0.16"),
        ("zero", "DE", {"zero": Decimal(0)}, "0"),
        ("books", "DE", {"books": Decimal("0.07")}, "0.07"),
        ("reduced", "DE", {"standard": Decimal("0.16")}, "0.07"),
        # The seller's own rates say nothing of other countries.
        ("standard", "FI", {"standard": Decimal("0.16")}, "0.255"),
        ("second_reduced", "AT", {}, "0.13"),
        # Denmark has no reduced rate: the standard one holds.
        ("reduced", "DK", {}, "0.25"),
        ("books", "FR", {"books": Decimal("0.07")}, "0.20"),
    ],
)
def test_a_line_has_the_rate_of_its_category_and_country(category, country, own_rates, rate):
    assert line_rate(category, tax=taxed_in(country), own_rates=own_rates, on=TODAY) == Decimal(
        rate
    )


def test_a_category_that_is_unknown_at_home_is_refused():
    with pytest.raises(Refusal) as refused:
        line_rate("books", tax=taxed_in("DE"), own_rates={}, on=TODAY)
    assert refused.value.code == "tax_rate_unknown"


@pytest.mark.parametrize(
    ("service_end", "point"),
    [
        (datetime(2026, 2, 15, 12, tzinfo=UTC), date(2026, 1, 15)),
        (datetime(2026, 1, 15, 12, tzinfo=UTC), date(2026, 1, 15)),
        # Midnight in Berlin: December ends, and its rate holds.
        (datetime(2025, 12, 31, 23, tzinfo=UTC), date(2025, 12, 31)),
        (datetime(2025, 12, 31, 23, 0, 1, tzinfo=UTC), date(2026, 1, 1)),
    ],
)
def test_the_rate_is_of_the_services_last_day_or_of_the_day_of_issue(service_end, point):
    assert (
        tax_point(
            service_end=service_end,
            issued_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
            issued_on=date(2026, 1, 15),
            zone="Europe/Berlin",
        )
        == point
    )
