"""In which territory of value added tax does an address lie?

The European Union's is defined by Articles 5 to 8 of Directive 2006/112/EC; it is neither the union of
its countries nor of their customs territories.
"""

from __future__ import annotations

from functools import lru_cache

from billwright.features.tenancy.model import Address

MEMBER_STATES = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)

# Other codes of a country, and countries whose supplies count as their neighbor's: Monaco and the
# Isle of Man by Article 7 of the directive, Liechtenstein by its treaty with Switzerland.
_SAME_AS = {"EL": "GR", "UK": "GB", "MC": "FR", "IM": "GB", "LI": "CH"}

_FRENCH_DEPARTMENTS = {"971": "GP", "972": "MQ", "973": "GF", "974": "RE", "976": "YT"}

# Parts of a member state that are no part of the union's territory (Article 6), by the code of
# ISO 3166-2 without the country.
_EXCLUDED_REGIONS = {
    "ES": {
        **dict.fromkeys(("CN", "GC", "TF"), "ES-CN"),
        "CE": "ES-CE",
        "ML": "ES-ML",
    },
    "FI": {"01": "AX"},
    "FR": {
        **{code: code for code in ("GP", "MQ", "GF", "RE", "YT")},
        **_FRENCH_DEPARTMENTS,
    },
    "GR": {"69": "GR-69"},
}

# The same by the beginning of the postal code, which more addresses have than a region's code.
_EXCLUDED_POSTAL_CODES = {
    "DE": {"78266": "DE-BUESINGEN", "27498": "DE-HELGOLAND"},
    "ES": {"35": "ES-CN", "38": "ES-CN", "51": "ES-CE", "52": "ES-ML"},
    "FI": {"22": "AX"},
    "FR": _FRENCH_DEPARTMENTS,
    "GR": {"63086": "GR-69"},
    "IT": {"23041": "IT-LIVIGNO", "22061": "IT-CAMPIONE"},
}


def tax_territory(address: Address) -> str:
    """The country, or what stands for a part of it with a law of its own; empty when not known.

    Only what a region's ISO 3166-2 code or a postal code tells is told apart; docs/tax.md has the rest.
    """
    country = address.country
    if country in _EXCLUDED_POSTAL_CODES:
        return _within(country, region=address.region, postal_code=address.postal_code)
    return _SAME_AS.get(country, country)


@lru_cache(maxsize=10_000)
def _within(country: str, *, region: str, postal_code: str) -> str:
    region_code = region.strip().upper().removeprefix(f"{country}-")
    if excluded := _EXCLUDED_REGIONS.get(country, {}).get(region_code):
        return excluded
    compact = postal_code.upper().replace(" ", "").removeprefix(f"{country}-")
    return next(
        (
            territory
            for prefix, territory in _EXCLUDED_POSTAL_CODES[country].items()
            if compact.startswith(prefix)
        ),
        country,
    )
