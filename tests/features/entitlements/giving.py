"""What do tests of decisions start from? What an account holds, in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from billwright.features.catalog.model import (
    Feature,
    FeatureDefinition,
    FeatureKind,
    FeatureTerms,
    PlanFeature,
    PlanVersion,
)
from billwright.features.entitlements.model import Override, Source
from billwright.features.entitlements.rules.decide import Holdings
from billwright.kernel.calendar import Interval, IntervalUnit

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)
ACCOUNT = UUID(int=1)
BOOLEAN, STATIC, METERED = FeatureKind


def a_version(*features: PlanFeature) -> PlanVersion:
    """A version of a plan that gives these features."""
    month = Interval(IntervalUnit.MONTH)
    return PlanVersion(uuid4(), uuid4(), "p", 1, "P", month, "standard", (), features, BEGAN)


def a_source(version: PlanVersion, *, number: int = 1, **changes: Any) -> Source:
    """A subscription to it; of several the one with the lowest number is the oldest."""
    values: dict[str, Any] = {
        "subscription_id": UUID(int=100 + number),
        "account_id": ACCOUNT,
        "plan_version_id": version.id,
        "period_start": BEGAN,
        "period_end": BEGAN + timedelta(days=31),
    }
    return Source(**{**values, **changes})


def a_feature(code: str, kind: FeatureKind, **changes: Any) -> Feature:
    values: dict[str, Any] = {
        "id": uuid4(),
        "code": code,
        "name": code,
        "kind": kind,
        "created_at": BEGAN,
        "updated_at": BEGAN,
    }
    return Feature(**{**values, **changes})


def given(code: str, value: Any, *, add_on: str | None = None, **terms: Any) -> PlanFeature:
    """What a plan gives of a feature, whose kind its value tells: a text of digits is a limit."""
    return PlanFeature(code, code, kind_of(value), value, FeatureTerms(**terms), add_on)


def kind_of(value: Any) -> FeatureKind:
    if isinstance(value, bool):
        return BOOLEAN
    return METERED if value is None or (isinstance(value, str) and value.isdigit()) else STATIC


def defined(value: Any, **terms: Any) -> FeatureDefinition:
    return FeatureDefinition(value=value, terms=FeatureTerms(**terms))


def an_override(code: str, value: Any, *, of: Source | None = None, **changes: Any) -> Override:
    """Of the account or, with a source, of its subscription."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "account_id": ACCOUNT,
        "subscription_id": of and of.subscription_id,
        "feature": code,
        "kind": kind_of(value),
        "definition": defined(value),
        "reason": "agreed",
        "effective_at": BEGAN,
        "expires_at": None,
        "ends_at": None,
        "superseded_by": None,
        "removed_at": None,
        "created_at": BEGAN,
    }
    return Override(**{**values, **changes})


def holding(*held: tuple[Source, PlanVersion], features: Any = (), **changes: Any) -> Holdings:
    """What an account holds with these subscriptions; features that are not described are plain."""
    known = {one.code: one for one in features}
    for _, version in held:
        for one in version.features:
            known.setdefault(one.code, a_feature(one.code, one.kind))
    for one in changes.get("overrides", ()):
        known.setdefault(one.feature, a_feature(one.feature, one.kind))
    values: dict[str, Any] = {
        "account_id": ACCOUNT,
        "zone": "Europe/Berlin",
        "sources": [source for source, _ in held],
        "versions": {version.id: version for _, version in held},
        "features": known,
    }
    return Holdings(**{**values, **changes})
