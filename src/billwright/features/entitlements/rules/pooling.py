"""Against which pools is the usage of an account counted?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import Combination, Feature
from billwright.features.entitlements.model import (
    Allowance,
    PoolDefinition,
    Source,
    SourceKind,
)
from billwright.features.entitlements.rules.contributions import Contribution, Contributions


def pools_of(
    contributions: Contributions,
    feature: Feature,
    *,
    account_id: UUID,
    sources: Sequence[Source],
    zone: str,
) -> list[PoolDefinition]:
    """The pools of a metered feature; `sources` are from the oldest subscription to the newest."""
    by_place: dict[UUID | None, list[Contribution]] = defaultdict(list)
    for one in contributions.all_of:
        by_place[place_of(one, feature)].append(one)
    return [
        PoolDefinition(
            account_id=account_id,
            subscription_id=place,
            feature=feature.code,
            meter=feature.meter or feature.code,
            combination=feature.combination,
            on_change=feature.on_change,
            terms=parts[0].definition.terms,
            allowances=tuple(_allowance(one) for one in parts),
            period=_period_of((*parts, *contributions.replaced), sources),
            zone=zone,
        )
        for place, parts in by_place.items()
    ]


def place_of(contribution: Contribution, feature: Feature) -> UUID | None:
    """Whose pool a contribution goes to: the subscription's own, or the account's."""
    if feature.combination is Combination.ADDITIVE:
        return None
    if contribution.kind in {SourceKind.ACCOUNT_OVERRIDE, SourceKind.DEFAULT}:
        return None
    return contribution.subscription_id


def _allowance(contribution: Contribution) -> Allowance:
    value = contribution.definition.value
    return Allowance(source=contribution.name, limit=None if value is None else Decimal(str(value)))


def _period_of(
    parts: Sequence[Contribution], sources: Sequence[Source]
) -> tuple[datetime, datetime] | None:
    """That of the oldest subscription which gives the feature or, where none does, which there is."""
    giving = {one.subscription_id for one in parts}
    oldest = next((one for one in sources if one.subscription_id in giving), None)
    if oldest is None and sources:
        oldest = sources[0]
    return None if oldest is None else (oldest.period_start, oldest.period_end)
