"""Why does an account have what it has of a feature?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.catalog.model import Feature, FeatureDefinition, FeatureKind, FeatureTerms
from billwright.features.entitlements.model import (
    Granted,
    SourceKind,
)
from billwright.features.entitlements.rules.contributions import (
    Contribution,
    Contributions,
    by_rank,
    default_of,
    of_override,
)
from billwright.features.entitlements.rules.decide import Holdings, contributions_in
from billwright.features.entitlements.rules.feature_decision import deciding_among
from billwright.features.entitlements.rules.restricting import left_of

_NO_TERMS = FeatureTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedSource:
    """One source of a feature, and what has become of it: whether it `counts` beside the others, and
    whether a missing payment withholds what it gives. A grant has no definition, but may have an end.
    """

    kind: SourceKind
    subscription_id: UUID | None
    add_on: str | None
    override_id: UUID | None
    definition: FeatureDefinition | None
    ends_at: datetime | None
    counts: bool
    withheld: bool


def explain(holdings: Holdings, codes: Collection[str]) -> dict[str, list[ExplainedSource]]:
    """Every source of each of these features in the order of precedence, also those that do not count
    because others come before them.
    """
    of_plans = contributions_in(holdings, ())
    effective = contributions_in(holdings, holdings.overrides)
    ends = {one.id: one.ends_at for one in holdings.overrides}
    explained: dict[str, list[ExplainedSource]] = {}
    for code in codes:
        feature = holdings.features.get(code)
        if feature is None:
            explained[code] = []
            continue
        counting = _counting(effective.get(code), feature)
        given = _all_contributions(holdings, feature, of_plans=of_plans.get(code))
        explained[code] = [
            ExplainedSource(
                kind=one.kind,
                subscription_id=one.subscription_id,
                add_on=one.add_on,
                override_id=one.override_id,
                definition=one.definition,
                ends_at=None if one.override_id is None else ends[one.override_id],
                counts=one in counting,
                withheld=_is_withheld(one, feature, holdings=holdings),
            )
            for one in given
        ]
        explained[code] += [
            _explained_grant(one, feature, holdings=holdings)
            for one in holdings.grants
            if one.feature == code
        ]
    return explained


def _all_contributions(
    holdings: Holdings, feature: Feature, *, of_plans: Contributions | None
) -> list[Contribution]:
    given = [one for parts in of_plans.through.values() for one in parts] if of_plans else []
    given += [of_override(one) for one in holdings.overrides if one.feature == feature.code]
    if feature.default is not None:
        given.append(default_of(feature, feature.default))
    return sorted(given, key=by_rank)


def _counting(contributions: Contributions | None, feature: Feature) -> list[Contribution]:
    if contributions is None:
        return []
    if feature.kind is FeatureKind.METERED:
        return list(contributions.all_of)
    return deciding_among(contributions)


def _is_withheld(contribution: Contribution, feature: Feature, *, holdings: Holdings) -> bool:
    left = left_of(holdings.restrictions, subscription_id=contribution.subscription_id)
    return left.withholds(feature.code, kind=feature.kind, terms=contribution.definition.terms)


def _explained_grant(grant: Granted, feature: Feature, *, holdings: Holdings) -> ExplainedSource:
    """A grant counts for the account, or for a subscription while that gives access."""
    left = left_of(holdings.restrictions, subscription_id=grant.subscription_id)
    giving = {None, *(source.subscription_id for source in holdings.sources)}
    return ExplainedSource(
        kind=SourceKind.GRANT,
        subscription_id=grant.subscription_id,
        add_on=None,
        override_id=None,
        definition=None,
        ends_at=grant.ends_at,
        counts=grant.subscription_id in giving,
        withheld=left.withholds(feature.code, kind=feature.kind, terms=_NO_TERMS),
    )
