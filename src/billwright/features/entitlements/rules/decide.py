"""What does a source give of a feature?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from billwright.features.catalog.model import FeatureKind, PlanFeature, PlanVersion
from billwright.features.entitlements.model import (
    AccessLevel,
    Decision,
    DenialReason,
    Given,
    Restriction,
    RestrictionEffect,
    Source,
)

_LEVELS = {
    RestrictionEffect.DEGRADE: AccessLevel.DEGRADED,
    RestrictionEffect.READ_ONLY: AccessLevel.READ_ONLY,
    RestrictionEffect.REVOKE: AccessLevel.REVOKED,
}
_HARSHNESS = list(AccessLevel)


def given_by(source: Source, version: PlanVersion, *, restrictions: Iterable[Restriction]) -> Given:
    """What one source gives under the restrictions of its account: of several the harshest counts, and
    what any of them takes away is gone. Limits and values stay to be seen.
    """
    held = [one for one in restrictions if one.subscription_id in {None, source.subscription_id}]
    decisions = decisions_of(source, version)
    if not held:
        return Given(AccessLevel.FULL, tuple(decisions))
    level = max((_LEVELS[one.effect] for one in held), key=_HARSHNESS.index)
    taken = {code for one in held for code in one.features}
    return Given(level, tuple(_restricted(one, level=level, taken=taken) for one in decisions))


def _restricted(decision: Decision, *, level: AccessLevel, taken: set[str]) -> Decision:
    denied = (
        level is AccessLevel.REVOKED
        or (level is AccessLevel.READ_ONLY and decision.kind is FeatureKind.METERED)
        or decision.feature in taken
    )
    if not denied or not decision.allowed:
        return decision
    return replace(decision, allowed=False, reason=DenialReason.PAYMENT_OVERDUE)


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
