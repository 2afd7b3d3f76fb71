"""What may an account use, as a whole and through each of its subscriptions?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.model import Feature, FeatureKind, PlanVersion
from billwright.features.entitlements.model import (
    Decided,
    Given,
    Granted,
    Override,
    PoolDefinition,
    Restriction,
    Source,
)
from billwright.features.entitlements.rules.contributions import Contributions, contributions_to
from billwright.features.entitlements.rules.feature_decision import (
    Basis,
    decided_for_account,
    decided_through,
)
from billwright.features.entitlements.rules.pooling import pools_of
from billwright.features.entitlements.rules.restricting import Left, left_of
from billwright.kernel.quick import quickly_made

_NOTHING = Contributions((), {})


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """All that an account's access follows from, at one instant: `sources` from the oldest subscription
    to the newest, the overrides and grants that are in force, the features that any of them or a
    default gives, and what missing payments restrict.
    """

    account_id: UUID
    zone: str
    sources: Sequence[Source]
    versions: Mapping[UUID, PlanVersion]
    features: Mapping[str, Feature]
    overrides: Sequence[Override] = ()
    grants: Sequence[Granted] = ()
    restrictions: Sequence[Restriction] = ()


def decide(holdings: Holdings) -> tuple[Decided, list[PoolDefinition]]:
    """Every decision of an account, and the pools that the usage of its metered features is counted
    against.
    """
    contributions = contributions_in(holdings, holdings.overrides)
    definitions = _pools_by_code(holdings, contributions)
    left = _left_by_place(holdings)
    grants = _places_of_grants(holdings.grants, left)
    bases = [
        Basis(
            feature=holdings.features[code],
            contributions=contributions.get(code, _NOTHING),
            pools=frozenset(one.subscription_id for one in definitions.get(code, ())),
            grants=frozenset(grants.get(code, ())),
            left=left,
        )
        for code in sorted(contributions.keys() | grants.keys())
    ]
    decided = Decided(
        subscriptions={
            source.subscription_id: _given(source.subscription_id, bases, left=left)
            for source in holdings.sources
        },
        features={basis.feature.code: decided_for_account(basis) for basis in bases},
    )
    return decided, [definition for pools in definitions.values() for definition in pools]


def define_pools(holdings: Holdings) -> list[PoolDefinition]:
    """The pools alone, where nothing but the time has changed in which they count."""
    contributions = contributions_in(holdings, holdings.overrides)
    return [one for pools in _pools_by_code(holdings, contributions).values() for one in pools]


def contributions_in(holdings: Holdings, overrides: Iterable[Override]) -> dict[str, Contributions]:
    """What gives an account each feature, if these are its overrides."""
    return contributions_to(
        holdings.sources,
        versions=holdings.versions,
        overrides=overrides,
        features=holdings.features,
    )


def _pools_by_code(
    holdings: Holdings, contributions: Mapping[str, Contributions]
) -> dict[str, list[PoolDefinition]]:
    return {
        code: pools_of(
            given,
            holdings.features[code],
            account_id=holdings.account_id,
            sources=holdings.sources,
            zone=holdings.zone,
        )
        for code, given in contributions.items()
        if holdings.features[code].kind is FeatureKind.METERED
    }


def _left_by_place(holdings: Holdings) -> dict[UUID | None, Left]:
    """How much access is left of each subscription and, by none, of what the account has by itself."""
    return {
        place: left_of(holdings.restrictions, subscription_id=place)
        for place in (None, *(source.subscription_id for source in holdings.sources))
    }


def _places_of_grants(
    grants: Iterable[Granted], left: Mapping[UUID | None, Left]
) -> dict[str, set[UUID | None]]:
    """Whose pools were granted something; what a subscription was granted ends with its access."""
    places: dict[str, set[UUID | None]] = {}
    for one in grants:
        if one.subscription_id in left:
            places.setdefault(one.feature, set()).add(one.subscription_id)
    return places


def _given(
    subscription_id: UUID, bases: Iterable[Basis], *, left: Mapping[UUID | None, Left]
) -> Given:
    decisions = (decided_through(subscription_id, basis) for basis in bases)
    return Given(left[subscription_id].level, tuple(one for one in decisions if one is not None))
