"""What may be given of a feature, wherever that is said?"""

from __future__ import annotations

from billwright.features.catalog.errors import feature_member_unsuitable
from billwright.features.catalog.model import (
    AllowanceChange,
    Combination,
    Feature,
    FeatureDefinition,
    FeatureKind,
    PlanFeature,
)
from billwright.features.catalog.rules.feature_terms import check_feature_terms
from billwright.features.catalog.rules.feature_value import check_value


def check_definition(definition: FeatureDefinition, feature: Feature, *, pointer: str = "") -> None:
    """Accept what fits the feature; `pointer` is where the members of the definition are.

    Refuses: `feature_value_invalid`, and what `check_feature_terms` refuses.
    """
    check_value(
        definition.value,
        kind=feature.kind,
        options=feature.options,
        feature_code=feature.code,
        pointer=f"{pointer}/value",
    )
    check_feature_terms(
        definition.terms, kind=feature.kind, feature_code=feature.code, pointer=f"{pointer}/terms"
    )


def checked_feature(given: PlanFeature, *, pointer: str) -> PlanFeature:
    """What a plan gives of a feature, when it fits its kind; whether it is an option is known later.

    Refuses: `feature_value_invalid`, and what `check_feature_terms` refuses.
    """
    check_value(
        given.value,
        kind=given.kind,
        options=None,
        feature_code=given.code,
        pointer=f"{pointer}/value",
    )
    check_feature_terms(
        given.terms, kind=given.kind, feature_code=given.code, pointer=f"{pointer}/terms"
    )
    return given


def check_members(feature: Feature) -> None:
    """Accept a feature that has nothing of another kind's. Refuses: `feature_member_unsuitable`."""
    given = {
        "meter": feature.meter is not None,
        "combination": feature.combination is not Combination.ADDITIVE,
        "on_change": feature.on_change is not AllowanceChange.PRORATE_GRANT,
        "options": feature.options is not None,
    }
    for member in _UNSUITABLE[feature.kind]:
        if given[member]:
            raise feature_member_unsuitable(
                pointer=f"/{member}",
                feature_code=feature.code,
                kind=feature.kind.value,
                member=member,
            )


_UNSUITABLE = {
    FeatureKind.BOOLEAN: ("meter", "combination", "on_change", "options"),
    FeatureKind.STATIC: ("meter", "combination", "on_change"),
    FeatureKind.METERED: ("options",),
}
