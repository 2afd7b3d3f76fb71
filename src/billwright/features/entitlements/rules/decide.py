"""What does a source give of a feature?"""

from __future__ import annotations

from decimal import Decimal

from billwright.features.catalog.model import FeatureKind, PlanFeature, PlanVersion
from billwright.features.entitlements.model import Decision, Source


def decisions_of(source: Source, version: PlanVersion) -> list[Decision]:
    """The decisions of one source, in the order of the feature codes."""
    return [_decide(feature, source) for feature in version.features]


def _decide(feature: PlanFeature, source: Source) -> Decision:
    match feature.kind:
        case FeatureKind.BOOLEAN:
            return Decision(feature=feature.code, kind=feature.kind, allowed=feature.value is True)
        case FeatureKind.STATIC:
            return Decision(
                feature=feature.code, kind=feature.kind, allowed=True, value=feature.value
            )
        case FeatureKind.METERED:
            limit = None if feature.value is None else str(feature.value)
            return Decision(
                feature=feature.code,
                kind=feature.kind,
                allowed=limit is None or Decimal(limit) > 0,
                limit=limit,
                used="0",
                remaining=limit,
                resets_at=source.period_end,
            )
