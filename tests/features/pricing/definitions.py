"""Which price definitions are there to test with? Any of every model."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from billwright.features.pricing.rules.models.cost_plus import CostPlus
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.graduated import Graduated
from billwright.features.pricing.rules.models.package import Package
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.models.stairstep import Stairstep
from billwright.features.pricing.rules.models.volume import Volume
from billwright.features.pricing.rules.tiers import Step, Tier

prices = st.decimals(0, 10**9, places=9)
quantities = st.decimals(0, 10**6, places=6)
positive_quantities = quantities.filter(bool)
whole_quantities = st.integers(0, 10**6).map(Decimal)


def _reaching(tier_to: Callable[[Any], st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """1 to 6 tiers, each made for the bound that it reaches to."""
    return st.lists(positive_quantities, max_size=5, unique=True).flatmap(
        lambda bounds: st.tuples(*map(tier_to, [*sorted(bounds), None]))
    )


tiers = _reaching(
    lambda up_to: st.builds(Tier, up_to=st.just(up_to), unit_price=prices, flat_price=prices)
)
steps = _reaching(lambda up_to: st.builds(Step, up_to=st.just(up_to), flat_price=prices))

DEFINITIONS: dict[str, st.SearchStrategy[Any]] = {
    "flat": st.builds(Flat, price=prices),
    "per_unit": st.builds(PerUnit, price=prices),
    "package": st.builds(
        Package, price=prices, package_size=positive_quantities, free_units=quantities
    ),
    "graduated": st.builds(Graduated, tiers=tiers),
    "volume": st.builds(Volume, tiers=tiers),
    "stairstep": st.builds(Stairstep, tiers=steps),
    "cost_plus": st.builds(CostPlus, base=prices, margin_percent=prices, margin_fixed=prices),
}
any_definition = st.one_of(*DEFINITIONS.values())


def tier(up_to: str | None, unit_price: str, flat_price: str = "0") -> Tier:
    return Tier(
        up_to=None if up_to is None else Decimal(up_to),
        unit_price=Decimal(unit_price),
        flat_price=Decimal(flat_price),
    )


def step(up_to: str | None, flat_price: str) -> Step:
    return Step(up_to=None if up_to is None else Decimal(up_to), flat_price=Decimal(flat_price))
