"""May one feature be used, by the account or through one of its subscriptions?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.model import Combination, Feature, FeatureKind, FeatureTerms
from billwright.features.entitlements.model import (
    AccountDecision,
    Decision,
    DenialReason,
    PoolPlace,
    SourceKind,
)
from billwright.features.entitlements.rules.contributions import (
    Contribution,
    Contributions,
    default_of,
)
from billwright.features.entitlements.rules.pooling import place_of
from billwright.features.entitlements.rules.restricting import Left

_NO_TERMS = FeatureTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a decision about one feature rests on: what gives it, whose pools its sources and its grants
    are in (none is the account's own), and how much access is left of each subscription and, by none,
    of what the account has by itself.
    """

    feature: Feature
    contributions: Contributions
    pools: frozenset[UUID | None]
    grants: frozenset[UUID | None]
    left: Mapping[UUID | None, Left]


def decided_through(subscription_id: UUID, basis: Basis) -> Decision | None:
    """What a subscription gives of the feature; none when nothing does through it."""
    feature, left = basis.feature, basis.left[subscription_id]
    parts = _counting_through(subscription_id, basis)
    if feature.kind is FeatureKind.METERED:
        place = _pool_through(subscription_id, basis, has_sources=bool(parts))
        if place is None:
            return None
        reason = _metered_reason(feature, parts, left=left)
        return Decision(
            feature=feature.code,
            kind=feature.kind,
            allowed=reason is None,
            reason=reason,
            pool=place,
        )
    if not parts:
        return None
    strongest = _strongest(parts)
    reason = _plain_reason(strongest, left)
    return Decision(
        feature=feature.code,
        kind=feature.kind,
        allowed=reason is None,
        reason=reason,
        value=strongest.definition.value if feature.kind is FeatureKind.STATIC else None,
    )


def decided_for_account(basis: Basis) -> AccountDecision:
    """What the account has of the feature: of what several subscriptions give, one that may be used is
    enough.
    """
    if basis.feature.kind is FeatureKind.METERED:
        return _metered_for_account(basis)
    candidates = deciding_among(basis.contributions)
    usable = [
        one for one in candidates if _plain_reason(one, basis.left[one.subscription_id]) is None
    ]
    best = _better(usable or candidates)
    reason = None if usable else _mildest(candidates, basis.left)
    is_static = basis.feature.kind is FeatureKind.STATIC
    return AccountDecision(
        kind=basis.feature.kind,
        allowed=reason is None,
        reason=reason,
        value=best.definition.value if is_static else None,
        source=best.kind,
    )


def _metered_for_account(basis: Basis) -> AccountDecision:
    """A pool may be used while one of those who fill it may be; grants alone are enough where nothing
    else is in it.
    """
    feature, all_of = basis.feature, basis.contributions.all_of
    usable = [
        one
        for one in all_of
        if _metered_reason(feature, [one], left=basis.left[one.subscription_id]) is None
    ]
    open_pools = {place_of(one, feature) for one in usable}
    open_pools |= {
        place
        for place in basis.grants - basis.pools
        if _metered_reason(feature, (), left=basis.left[place]) is None
    }
    source = next((one.kind for one in (*usable, *all_of)), SourceKind.GRANT)
    return AccountDecision(
        kind=feature.kind,
        allowed=bool(open_pools),
        reason=None if open_pools else DenialReason.PAYMENT_OVERDUE,
        value=None,
        source=source,
        pools=tuple(sorted(open_pools or basis.pools | basis.grants, key=str)),
    )


def _counting_through(subscription_id: UUID, basis: Basis) -> Sequence[Contribution]:
    """What counts for a subscription: an override of the account for it too, and the default where the
    subscription itself says nothing.
    """
    all_of = basis.contributions.all_of
    if all_of and all_of[0].kind is SourceKind.ACCOUNT_OVERRIDE:
        return all_of
    through = basis.contributions.through.get(subscription_id)
    if through is None and basis.feature.default is not None:
        return (default_of(basis.feature, basis.feature.default),)
    return through or ()


def _pool_through(subscription_id: UUID, basis: Basis, *, has_sources: bool) -> PoolPlace | None:
    """Which pool a subscription uses: its own where each has its own, else the account's."""
    own_first = basis.feature.combination is Combination.PARALLEL
    order = (subscription_id, None) if own_first else (None, subscription_id)
    existing = basis.pools if has_sources else basis.grants
    return next((PoolPlace(place) for place in order if place in existing), None)


def _metered_reason(
    feature: Feature, parts: Sequence[Contribution], *, left: Left
) -> DenialReason | None:
    terms = parts[0].definition.terms if parts else _NO_TERMS
    withheld = left.withholds(feature.code, kind=feature.kind, terms=terms)
    return DenialReason.PAYMENT_OVERDUE if withheld else None


def _plain_reason(contribution: Contribution, left: Left) -> DenialReason | None:
    definition, kind = contribution.definition, contribution.feature_kind
    if kind is FeatureKind.BOOLEAN and definition.value is not True:
        return DenialReason.NOT_ENTITLED
    withheld = left.withholds(contribution.feature, kind=kind, terms=definition.terms)
    return DenialReason.PAYMENT_OVERDUE if withheld else None


def _mildest(
    candidates: Sequence[Contribution], left: Mapping[UUID | None, Left]
) -> DenialReason | None:
    """A payment would help where one is missing, so that this is said first."""
    reasons = {_plain_reason(one, left[one.subscription_id]) for one in candidates}
    overdue = DenialReason.PAYMENT_OVERDUE
    return overdue if overdue in reasons else DenialReason.NOT_ENTITLED


def deciding_among(contributions: Contributions) -> list[Contribution]:
    """What decides about a feature that is not metered: what each subscription gives or, where an
    override of the account or the default counts, that alone.
    """
    first = contributions.all_of[0]
    if first.kind in {SourceKind.ACCOUNT_OVERRIDE, SourceKind.DEFAULT}:
        return [first]
    return [_strongest(parts) for parts in contributions.through.values()]


def _strongest(parts: Sequence[Contribution]) -> Contribution:
    """What comes first and, of several add-ons, gives most."""
    return _better([one for one in parts if one.kind is parts[0].kind])


def _better(candidates: Sequence[Contribution]) -> Contribution:
    """Of what is equal in precedence: true, the greatest whole number, else the newest."""
    values = [one.definition.value for one in candidates]
    if all(type(value) is int for value in values):
        return max(candidates, key=lambda one: one.definition.value or 0)
    if True in values and candidates[0].feature_kind is FeatureKind.BOOLEAN:
        return candidates[values.index(True)]
    return candidates[-1]
