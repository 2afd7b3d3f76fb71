"""In which currencies is a plan sold?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.catalog.errors import price_currencies_differ
from billwright.kernel.currency import currency_of


def check_currencies(components: Sequence[Sequence[str]]) -> None:
    """Accept components whose prices are in one set of currencies, each once.

    A component without a price in one of them could not be billed there. Refuses:
    `price_currencies_differ`, `currency_unknown`.
    """
    expected = {currency_of(code).code for prices in components for code in prices}
    for index, prices in enumerate(components):
        if len(prices) != len(set(prices)) or set(prices) != expected:
            raise price_currencies_differ(
                pointer=f"/components/{index}/prices", currencies=", ".join(sorted(expected))
            )
