"""Which rate does a category have?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from billwright.features.tax.errors import tax_rate_unknown
from billwright.features.tax.model import Treatment, TreatmentKind
from billwright.features.tax.rules.rate_table import RATES, RateRow

STANDARD = "standard"
_NOTHING = Decimal(0)


def line_rate(
    category: str, *, treatment: Treatment, own_rates: Mapping[str, Decimal], on: date
) -> Decimal:
    """The share that a line is taxed with on a day; zero when the treatment charges no tax.

    At home the seller's own rates come before the table's. In another country a category that its law
    does not have, such as a reduced rate in Denmark, has the standard rate. Refuses: `tax_rate_unknown`.
    """
    if not treatment.charges_tax:
        return _NOTHING
    country = treatment.country
    if treatment.kind is TreatmentKind.EU_B2C_OSS:
        rates = rates_on(country, on)
        return rates[category] if category in rates else rate_on(country, category=STANDARD, on=on)
    own = own_rates.get(category)
    return rate_on(country, category=category, on=on) if own is None else own


def rate_on(country: str, *, category: str, on: date) -> Decimal:
    """The table's rate as a share. Refuses: `tax_rate_unknown` where the table has none."""
    rate = rates_on(country, on).get(category)
    if rate is None:
        raise tax_rate_unknown(country=country, tax_category=category, on=on)
    return rate


@lru_cache(maxsize=10_000)
def rates_on(country: str, on: date) -> Mapping[str, Decimal]:
    """All rates of a territory that are in force on a day, by category; none outside the table."""
    return {
        row.category: row.rate
        for row in _BY_COUNTRY.get(country, ())
        if row.valid_from <= on and (row.valid_until is None or on <= row.valid_until)
    }


def _by_country() -> Mapping[str, list[RateRow]]:
    rows = defaultdict(list)
    for row in RATES:
        rows[row.country].append(row)
    return rows


_BY_COUNTRY = _by_country()
