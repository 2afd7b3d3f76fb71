"""What gives an account which feature, and what comes first?

Account override, subscription override, add-on, plan, default: what an override says counts instead of
what stands at its place, and the default only where there is nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from billwright.features.catalog.model import (
    Feature,
    FeatureDefinition,
    FeatureKind,
    PlanFeature,
    PlanVersion,
)
from billwright.features.entitlements.model import Override, Source, SourceKind

_MICRO = Decimal("0.000001")
# What a column for amounts holds; nobody can tell it from no limit.
_LARGEST = Decimal(10**14) - _MICRO
_RANK = {kind: rank for rank, kind in enumerate(SourceKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one source gives of a feature: to all of the account, or with a `subscription_id` through
    that subscription. The limit of an add-on is that of all its units.

    `name` is the source's own for as long as it gives, as `Allowance` has it. `add_on` is the code of the
    component that an add-on is.
    """

    kind: SourceKind
    name: str
    feature: str
    feature_kind: FeatureKind
    subscription_id: UUID | None
    definition: FeatureDefinition
    add_on: str | None = None
    override_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Contributions:
    """What gives an account a feature. `all_of` and `through` are in the order of precedence, and of
    what is equal in it the oldest subscription comes first.

    `replaced` are those of the subscriptions that an override of the account counts instead of.
    """

    all_of: tuple[Contribution, ...]
    through: Mapping[UUID, tuple[Contribution, ...]]
    replaced: tuple[Contribution, ...] = ()


def contributions_to(
    sources: Sequence[Source],
    *,
    versions: Mapping[UUID, PlanVersion],
    overrides: Iterable[Override],
    features: Mapping[str, Feature],
) -> dict[str, Contributions]:
    """What gives an account each feature that anything gives it, by code. `sources` are from the oldest
    subscription to the newest, `overrides` those in force.
    """
    of_account, of_subscriptions = _by_place(overrides)
    through: dict[str, dict[UUID, tuple[Contribution, ...]]] = defaultdict(dict)
    for source in sources:
        own = of_subscriptions.get(source.subscription_id, {})
        parts = _of_source(source, versions[source.plan_version_id], own=own)
        for code, given in parts.items():
            through[code][source.subscription_id] = given
    codes = through.keys() | of_account.keys() | {c for c, one in features.items() if one.default}
    return {
        code: _of_feature(
            through.get(code, {}), override=of_account.get(code), feature=features.get(code)
        )
        for code in sorted(codes)
    }


def _by_place(
    overrides: Iterable[Override],
) -> tuple[dict[str, Override], dict[UUID, dict[str, Override]]]:
    of_account: dict[str, Override] = {}
    of_subscriptions: dict[UUID, dict[str, Override]] = defaultdict(dict)
    for one in overrides:
        if one.subscription_id is None:
            of_account[one.feature] = one
        else:
            of_subscriptions[one.subscription_id][one.feature] = one
    return of_account, of_subscriptions


def _of_source(
    source: Source, version: PlanVersion, *, own: Mapping[str, Override]
) -> dict[str, tuple[Contribution, ...]]:
    """What a subscription gives of each feature, its own overrides in place of the rest."""
    given: dict[str, list[Contribution]] = defaultdict(list)
    for feature in version.features:
        if feature.code not in own and (feature.add_on is None or feature.add_on in source.add_ons):
            given[feature.code].append(_of_plan(feature, source))
    for code, one in own.items():
        given[code].append(of_override(one))
    return {code: tuple(sorted(parts, key=by_rank)) for code, parts in given.items()}


def _of_feature(
    through: Mapping[UUID, tuple[Contribution, ...]],
    *,
    override: Override | None,
    feature: Feature | None,
) -> Contributions:
    of_subscriptions = tuple(
        sorted((one for parts in through.values() for one in parts), key=by_rank)
    )
    if override is not None:
        return Contributions((of_override(override),), through, replaced=of_subscriptions)
    if not of_subscriptions and feature is not None and feature.default is not None:
        return Contributions((default_of(feature, feature.default),), {})
    return Contributions(of_subscriptions, through)


def default_of(feature: Feature, default: FeatureDefinition) -> Contribution:
    """What every account has of a feature that nothing else gives it."""
    return Contribution(
        kind=SourceKind.DEFAULT,
        name="default",
        feature=feature.code,
        feature_kind=feature.kind,
        subscription_id=None,
        definition=default,
    )


def of_override(override: Override) -> Contribution:
    """What an override says, whether it counts or not."""
    is_accounts = override.subscription_id is None
    return Contribution(
        kind=SourceKind.ACCOUNT_OVERRIDE if is_accounts else SourceKind.SUBSCRIPTION_OVERRIDE,
        name=f"override:{override.id}",
        feature=override.feature,
        feature_kind=override.kind,
        subscription_id=override.subscription_id,
        definition=override.definition,
        override_id=override.id,
    )


def _of_plan(feature: PlanFeature, source: Source) -> Contribution:
    definition = FeatureDefinition(value=feature.value, terms=feature.terms)
    kind, name = SourceKind.PLAN, f"plan:{source.subscription_id}"
    if feature.add_on is not None:
        kind, name = SourceKind.ADD_ON, f"add_on:{source.subscription_id}:{feature.add_on}"
        if feature.kind is FeatureKind.METERED and feature.value is not None:
            limit = _of_units(Decimal(str(feature.value)), units=source.add_ons[feature.add_on])
            definition = replace(definition, value=format(limit, "f"))
    return Contribution(
        kind=kind,
        name=name,
        feature=feature.code,
        feature_kind=feature.kind,
        subscription_id=source.subscription_id,
        definition=definition,
        add_on=feature.add_on,
    )


def _of_units(limit: Decimal, *, units: Decimal) -> Decimal:
    return min((limit * units).quantize(_MICRO, rounding=ROUND_HALF_UP), _LARGEST)


def by_rank(contribution: Contribution) -> int:
    """The place of a contribution in the order of precedence."""
    return _RANK[contribution.kind]
