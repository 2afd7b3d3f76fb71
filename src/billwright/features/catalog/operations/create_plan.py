"""How does a plan come to be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from billwright.features.catalog.errors import (
    component_code_repeated,
    feature_code_repeated,
    feature_kind_differs,
    plan_code_taken,
)
from billwright.features.catalog.events import PlanCreated
from billwright.features.catalog.model import (
    Plan,
    PlanComponent,
    PlanComponentId,
    PlanFeature,
    PlanId,
    PlanStatus,
    PlanVersion,
    PlanVersionId,
    Timing,
)
from billwright.features.catalog.rules.currencies import check_currencies
from billwright.features.catalog.rules.feature_value import checked_feature
from billwright.features.catalog.sql.reads import feature_kinds
from billwright.features.catalog.sql.writes import (
    insert_features,
    insert_plan,
    insert_plan_features,
    insert_version,
)
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.tax.errors import tax_category_unknown
from billwright.features.tax.rules.rate import rates_on
from billwright.features.tax.rules.territory import tax_territory
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import Interval, local_date
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComponent:
    """One line of a new plan; `prices` are pairs of currency and price definition."""

    code: str
    name: str
    prices: tuple[tuple[str, Pricing], ...]
    timing: Timing = Timing.IN_ADVANCE
    unit_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePlan:
    """A plan with its first version."""

    code: str
    name: str
    interval: Interval
    components: tuple[NewComponent, ...]
    features: tuple[PlanFeature, ...] = ()
    description: str = ""
    tax_category: str = "standard"
    metadata: dict[str, str] = field(default_factory=dict)


async def create_plan(tx: Tx, command: CreatePlan) -> Plan:
    """Create a plan; features that do not exist yet are created with it.

    Refuses: `plan_code_taken`, `component_code_repeated`, `price_currencies_differ`,
    `currency_unknown`, `tax_category_unknown`, `feature_code_repeated`, `feature_kind_differs`,
    `feature_value_invalid`.
    """
    await _require_tax_category(tx, command.tax_category)
    _refuse_repeated_components(command.components)
    check_currencies([[code for code, _ in part.prices] for part in command.components])
    features = [
        checked_feature(feature, pointer=f"/features/{index}")
        for index, feature in enumerate(command.features)
    ]
    plan = _new_plan(tx, command)
    if not await insert_plan(tx, plan):
        raise plan_code_taken(plan_code=command.code)
    await insert_version(tx, plan.version)
    await _give_features(tx, plan.version, features=features)
    tx.publish(
        PlanCreated(
            subject_id=plan.id,
            account_id=None,
            code=plan.code,
            name=plan.name,
            version_number=plan.version.number,
        )
    )
    tx.audit("plan.create", subject_type="plan", subject_id=plan.id, details=command)
    return plan


async def _require_tax_category(tx: Tx, category: str) -> None:
    """Accept a category that has a rate where the seller is: of its own, or of its country's law."""
    seller = await the_seller(tx)
    lawful = rates_on(tax_territory(seller.party.address), local_date(tx.now, seller.zone))
    if category not in lawful and category not in seller.tax_rates:
        raise tax_category_unknown(pointer="/tax_category", tax_category=category)


def _refuse_repeated_components(components: Sequence[NewComponent]) -> None:
    seen: set[str] = set()
    for index, component in enumerate(components):
        if component.code in seen:
            raise component_code_repeated(
                pointer=f"/components/{index}/code", component_code=component.code
            )
        seen.add(component.code)


def _new_plan(tx: Tx, command: CreatePlan) -> Plan:
    plan_id = PlanId(new_id())
    version = PlanVersion(
        id=PlanVersionId(new_id()),
        plan_id=plan_id,
        plan_code=command.code,
        number=1,
        name=command.name,
        interval=command.interval,
        tax_category=command.tax_category,
        components=tuple(
            PlanComponent(
                id=PlanComponentId(new_id()),
                code=component.code,
                name=component.name,
                timing=component.timing,
                unit_name=component.unit_name,
                prices=dict(component.prices),
            )
            for component in command.components
        ),
        features=tuple(sorted(command.features, key=lambda feature: feature.code)),
        created_at=tx.now,
    )
    return Plan(
        id=plan_id,
        code=command.code,
        name=command.name,
        description=command.description,
        status=PlanStatus.ACTIVE,
        metadata=command.metadata,
        created_at=tx.now,
        version=version,
    )


async def _give_features(tx: Tx, version: PlanVersion, *, features: Sequence[PlanFeature]) -> None:
    known = await feature_kinds(tx, [feature.code for feature in features])
    seen: set[str] = set()
    for index, feature in enumerate(features):
        if feature.code in seen:
            raise feature_code_repeated(
                pointer=f"/features/{index}/code", feature_code=feature.code
            )
        seen.add(feature.code)
        if feature.code in known and known[feature.code][1] is not feature.kind:
            raise feature_kind_differs(
                pointer=f"/features/{index}/kind",
                feature_code=feature.code,
                kind=known[feature.code][1].value,
            )
    ids = {code: feature_id for code, (feature_id, _) in known.items()}
    ids |= await insert_features(tx, [f for f in features if f.code not in known])
    await insert_plan_features(tx, version_id=version.id, features=features, feature_ids=ids)
