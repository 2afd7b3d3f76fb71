"""How does a plan come to be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from billwright.features.catalog.errors import (
    component_code_repeated,
    feature_add_on_unknown,
    feature_code_repeated,
    feature_kind_differs,
    plan_code_taken,
)
from billwright.features.catalog.events import PlanCreated
from billwright.features.catalog.model import (
    ComponentKind,
    Feature,
    FeatureId,
    FeatureKind,
    Plan,
    PlanComponent,
    PlanComponentId,
    PlanFeature,
    PlanId,
    PlanStatus,
    PlanTerms,
    PlanVersion,
    PlanVersionId,
    Timing,
)
from billwright.features.catalog.rules.component import NATURAL_TIMING, check_component
from billwright.features.catalog.rules.currencies import check_currencies, check_minimums
from billwright.features.catalog.rules.definition import checked_feature
from billwright.features.catalog.rules.feature_value import check_value
from billwright.features.catalog.rules.terms import check_terms
from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.catalog.sql.writes import (
    insert_features,
    insert_plan,
    insert_plan_features,
    insert_version,
)
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.tax.errors import tax_category_unknown
from billwright.features.tax.rules.rate import has_home_rate
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import Interval, local_date
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComponent:
    """One line of a new version; `prices` are pairs of currency and price definition, `minimums` of
    currency and minor units.

    Without a timing, usage is charged in arrears and all else in advance.
    """

    code: str
    name: str
    prices: tuple[tuple[str, Pricing], ...]
    kind: ComponentKind = ComponentKind.RECURRING
    timing: Timing | None = None
    unit_name: str = ""
    optional: bool = False
    free_units: Decimal = Decimal(0)
    minimums: tuple[tuple[str, int], ...] = ()
    meter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """All that a version says, whether it is a plan's first or a later one."""

    name: str
    interval: Interval
    components: tuple[NewComponent, ...]
    features: tuple[PlanFeature, ...] = ()
    tax_category: str = "standard"
    tax_inclusive: bool = False
    terms: PlanTerms = PlanTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePlan(NewVersion):
    """A plan with its first version, which has the plan's name."""

    code: str
    description: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


async def create_plan(tx: Tx, command: CreatePlan) -> Plan:
    """Create a plan; features that do not exist yet are created with it.

    Refuses: `plan_code_taken`, and what `build_version` and `store_version` refuse.
    """
    plan_id = PlanId(new_id())
    version = await build_version(tx, command, plan_id=plan_id, plan_code=command.code, number=1)
    plan = Plan(
        id=plan_id,
        code=command.code,
        name=command.name,
        description=command.description,
        status=PlanStatus.ACTIVE,
        metadata=command.metadata,
        created_at=tx.now,
        version=version,
    )
    if not await insert_plan(tx, plan):
        raise plan_code_taken(plan_code=command.code)
    await store_version(tx, version, features=command.features)
    tx.publish(
        PlanCreated(
            subject_id=plan.id,
            account_id=None,
            code=plan.code,
            name=plan.name,
            version_number=version.number,
        )
    )
    tx.audit("plan.create", subject_type="plan", subject_id=plan.id, details=command)
    return plan


async def build_version(
    tx: Tx, command: NewVersion, *, plan_id: PlanId, plan_code: str, number: int
) -> PlanVersion:
    """A version that may be sold, not yet stored.

    Refuses: `tax_category_unknown`, `plan_term_out_of_range`, `calendar_day_unsuitable`,
    `plan_without_prices`, `price_currencies_differ`, `currency_unknown`, `component_code_repeated`,
    `minimum_without_price`, `minimum_out_of_range`, `component_timing_unsuitable`,
    `component_meter_missing`, `component_member_unsuitable`, `pricing_invalid`,
    `feature_code_repeated`, `feature_kind_differs`, `feature_add_on_unknown`, and what
    `checked_feature` refuses.
    """
    await _require_tax_category(tx, command.tax_category)
    check_terms(command.terms, command.interval)
    components = _built_components(command.components)
    return PlanVersion(
        id=PlanVersionId(new_id()),
        plan_id=plan_id,
        plan_code=plan_code,
        number=number,
        name=command.name,
        interval=command.interval,
        tax_category=command.tax_category,
        tax_inclusive=command.tax_inclusive,
        components=components,
        features=_checked_features(command.features, components),
        terms=command.terms,
        created_at=tx.now,
    )


async def store_version(tx: Tx, version: PlanVersion, *, features: Sequence[PlanFeature]) -> None:
    """Store a version of a plan that is stored; `features` are the version's as they were given.

    Refuses: `feature_kind_differs`, and a value that is not among a feature's options as
    `feature_value_invalid`.
    """
    await insert_version(tx, version)
    known = await _features_of(tx, version)
    for index, given in enumerate(features):
        feature = known[given.code]
        if given.kind is not feature.kind:
            raise feature_kind_differs(
                pointer=f"/features/{index}/kind",
                feature_code=given.code,
                kind=feature.kind.value,
            )
        check_value(
            given.value,
            kind=given.kind,
            options=feature.options,
            feature_code=given.code,
            pointer=f"/features/{index}/value",
        )
    await insert_plan_features(
        tx, version, feature_ids={code: feature.id for code, feature in known.items()}
    )


async def _features_of(tx: Tx, version: PlanVersion) -> dict[str, Feature]:
    """The features that a version names; those that do not exist yet come to be."""
    codes = {feature.code for feature in version.features}
    known = await features_by_code(tx, codes) if codes else {}
    new = {one.code: _new_feature(tx, one) for one in version.features if one.code not in known}
    if not new:
        return known
    await insert_features(tx, list(new.values()))
    # Another plan may have brought them meanwhile, then these are not stored a second time.
    return await features_by_code(tx, codes)


def _new_feature(tx: Tx, given: PlanFeature) -> Feature:
    return Feature(
        id=FeatureId(new_id()),
        code=given.code,
        name=given.name,
        kind=given.kind,
        created_at=tx.now,
        updated_at=tx.now,
    )


async def _require_tax_category(tx: Tx, category: str) -> None:
    """Accept a category that has a rate where the seller is: of its own, or of its country's law."""
    seller = await the_seller(tx)
    if not has_home_rate(category, seller=seller, on=local_date(tx.now, seller.zone)):
        raise tax_category_unknown(pointer="/tax_category", tax_category=category)


def _built_components(components: Sequence[NewComponent]) -> tuple[PlanComponent, ...]:
    check_currencies([[code for code, _ in component.prices] for component in components])
    built: dict[str, PlanComponent] = {}
    for index, component in enumerate(components):
        pointer = f"/components/{index}"
        if component.code in built:
            raise component_code_repeated(pointer=f"{pointer}/code", component_code=component.code)
        built[component.code] = _built_component(component, pointer=pointer)
    return tuple(built.values())


def _built_component(new: NewComponent, *, pointer: str) -> PlanComponent:
    check_minimums(
        new.minimums,
        currencies=[currency for currency, _ in new.prices],
        component_code=new.code,
        pointer=pointer,
    )
    component = PlanComponent(
        id=PlanComponentId(new_id()),
        code=new.code,
        name=new.name,
        kind=new.kind,
        timing=new.timing or NATURAL_TIMING[new.kind],
        unit_name=new.unit_name,
        prices=dict(new.prices),
        optional=new.optional,
        free_units=new.free_units,
        minimums=dict(new.minimums),
        meter=new.meter,
    )
    check_component(component, pointer=pointer)
    return component


def _checked_features(
    features: Sequence[PlanFeature], components: Sequence[PlanComponent]
) -> tuple[PlanFeature, ...]:
    """The features by their codes and add-ons, which is the order that they are read in."""
    add_ons = {component.code for component in components if component.optional}
    checked: dict[tuple[str, str], PlanFeature] = {}
    kinds: dict[str, FeatureKind] = {}
    for index, feature in enumerate(features):
        pointer = f"/features/{index}"
        key = (feature.code, feature.add_on or "")
        if key in checked:
            raise feature_code_repeated(pointer=f"{pointer}/code", feature_code=feature.code)
        if kinds.setdefault(feature.code, feature.kind) is not feature.kind:
            raise feature_kind_differs(
                pointer=f"{pointer}/kind",
                feature_code=feature.code,
                kind=kinds[feature.code].value,
            )
        if feature.add_on is not None and feature.add_on not in add_ons:
            raise feature_add_on_unknown(
                pointer=f"{pointer}/add_on", feature_code=feature.code, add_on=feature.add_on
            )
        checked[key] = checked_feature(feature, pointer=pointer)
    return tuple(checked[key] for key in sorted(checked))
