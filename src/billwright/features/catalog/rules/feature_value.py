"""Which value may a plan give to a feature?"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from billwright.features.catalog.errors import feature_value_invalid
from billwright.features.catalog.model import FeatureKind, PlanFeature

_EXPECTED = {
    FeatureKind.BOOLEAN: "true or false",
    FeatureKind.STATIC: "a text, a whole number, or true or false",
    FeatureKind.METERED: "a limit as a decimal string that is not negative, or null for no limit",
}


def checked_feature(feature: PlanFeature, *, pointer: str) -> PlanFeature:
    """The feature, when its value fits its kind. Refuses: `feature_value_invalid`."""
    if not _FITS[feature.kind](feature.value):
        raise feature_value_invalid(
            pointer=f"{pointer}/value",
            feature_code=feature.code,
            kind=feature.kind.value,
            expected=_EXPECTED[feature.kind],
        )
    return feature


def _is_limit(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    try:
        limit = Decimal(value)
    except InvalidOperation:
        return False
    return limit.is_finite() and limit >= 0


_FITS = {
    FeatureKind.BOOLEAN: lambda value: isinstance(value, bool),
    FeatureKind.STATIC: lambda value: isinstance(value, bool | int | str),
    FeatureKind.METERED: _is_limit,
}
