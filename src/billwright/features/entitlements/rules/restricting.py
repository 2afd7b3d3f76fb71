"""What do missing payments leave of access?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.model import FeatureKind, FeatureTerms
from billwright.features.entitlements.model import AccessLevel, Restriction, RestrictionEffect

_LEVELS = {
    RestrictionEffect.DEGRADE: AccessLevel.DEGRADED,
    RestrictionEffect.READ_ONLY: AccessLevel.READ_ONLY,
    RestrictionEffect.REVOKE: AccessLevel.REVOKED,
}
_HARSHNESS = {level: harshness for harshness, level in enumerate(AccessLevel)}


@dataclass(frozen=True, slots=True)
class Left:
    """How much access is left, and which features were taken away by name."""

    level: AccessLevel
    taken: frozenset[str]

    def withholds(self, feature: str, *, kind: FeatureKind, terms: FeatureTerms) -> bool:
        """Whether a feature may not be used, whatever gives it. What is kept when a payment is missing
        goes only with everything.
        """
        if self.level is AccessLevel.REVOKED:
            return True
        if terms.kept_when_unpaid:
            return False
        is_consumed = kind is FeatureKind.METERED
        return (self.level is AccessLevel.READ_ONLY and is_consumed) or feature in self.taken


def left_of(restrictions: Iterable[Restriction], *, subscription_id: UUID | None) -> Left:
    """What is left of what a subscription gives or, without one, of what the account has by itself: of
    several restrictions the harshest counts, and what any of them takes away is gone.
    """
    held = [one for one in restrictions if one.subscription_id in {None, subscription_id}]
    if not held:
        return _ALL
    level = max((_LEVELS[one.effect] for one in held), key=_HARSHNESS.__getitem__)
    return Left(level, frozenset(code for one in held for code in one.features))


_ALL = Left(AccessLevel.FULL, frozenset())
