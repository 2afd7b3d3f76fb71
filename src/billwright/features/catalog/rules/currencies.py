"""In which currencies is a plan sold, and which minimums can it have?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.catalog.errors import (
    minimum_out_of_range,
    minimum_without_price,
    plan_without_prices,
    price_currencies_differ,
)
from billwright.kernel.currency import currency_of

# As much as one charge may be: a period that could not be charged could not be billed.
_LARGEST_MINIMUM_MINOR = 10**15


def check_currencies(components: Sequence[Sequence[str]]) -> None:
    """Accept components whose prices are in one set of currencies, each once.

    A component without a price in one of them could not be billed there. Refuses:
    `plan_without_prices`, `price_currencies_differ`, `currency_unknown`.
    """
    expected = {currency_of(code).code for prices in components for code in prices}
    if not expected:
        raise plan_without_prices(pointer="/components")
    for index, prices in enumerate(components):
        if len(prices) != len(set(prices)) or set(prices) != expected:
            raise price_currencies_differ(
                pointer=f"/components/{index}/prices", currencies=", ".join(sorted(expected))
            )


def check_minimums(
    minimums: Sequence[tuple[str, int]],
    *,
    currencies: Sequence[str],
    component_code: str,
    pointer: str,
) -> None:
    """Accept minimums, in minor units, of which each is in a currency of its own that has a price.

    Refuses: `minimum_without_price`, `minimum_out_of_range`.
    """
    left = set(currencies)
    for index, (currency, minimum_minor) in enumerate(minimums):
        if currency not in left:
            raise minimum_without_price(
                pointer=f"{pointer}/minimums/{index}",
                component_code=component_code,
                currency=currency,
            )
        left.remove(currency)
        if not 0 < minimum_minor <= _LARGEST_MINIMUM_MINOR:
            raise minimum_out_of_range(
                pointer=f"{pointer}/minimums/{index}", largest_minor=_LARGEST_MINIMUM_MINOR
            )
