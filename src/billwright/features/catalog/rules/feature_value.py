"""Which value may be given to a feature?"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from billwright.features.catalog.errors import feature_value_invalid
from billwright.features.catalog.model import FeatureKind

# What the columns hold in which limits and grants are kept.
_LARGEST_LIMIT = Decimal(10**14) - Decimal("0.000001")
_MOST_PLACES = 6

_EXPECTED = {
    FeatureKind.BOOLEAN: "true or false",
    FeatureKind.STATIC: "a text, a whole number, or true or false",
    FeatureKind.METERED: "a limit as a decimal string that is not negative and has at most 14 digits "
    "before and 6 after the point, or null for no limit",
}


def check_value(
    value: object,
    *,
    kind: FeatureKind,
    options: tuple[str, ...] | None,
    feature_code: str,
    pointer: str,
) -> None:
    """Accept a value that fits the kind and, where there are options, is one of them.

    Refuses: `feature_value_invalid`.
    """
    expected = _EXPECTED[kind] if options is None else f"one of {', '.join(options)}"
    if not _FITS[kind](value) or (options is not None and value not in options):
        raise feature_value_invalid(
            pointer=pointer, feature_code=feature_code, kind=kind.value, expected=expected
        )


def is_countable(number: Decimal) -> bool:
    """Whether a number of units can be kept as it is."""
    if not number.is_finite() or not 0 <= number <= _LARGEST_LIMIT:
        return False
    return round(number, _MOST_PLACES) == number


def _is_limit(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    try:
        return is_countable(Decimal(value))
    except InvalidOperation:
        return False


_FITS = {
    FeatureKind.BOOLEAN: lambda value: isinstance(value, bool),
    FeatureKind.STATIC: lambda value: isinstance(value, bool | int | str),
    FeatureKind.METERED: _is_limit,
}
