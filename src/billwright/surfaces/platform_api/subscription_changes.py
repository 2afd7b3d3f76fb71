"""How does a platform change what a subscription consists of?"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter

from billwright.features.catalog.errors import (
    plan_archived,
    plan_reference_unknown,
    plan_version_unknown,
)
from billwright.features.subscriptions.errors import (
    add_on_absent,
    add_on_present,
    charge_too_large,
    component_not_optional,
    component_unknown,
    currency_not_sold_after,
    effective_at_invalid,
    nothing_pending,
    period_billed_elsewhere,
)
from billwright.features.subscriptions.operations import (
    change_add_ons,
    undo,
)
from billwright.features.subscriptions.operations import (
    change_plan as changing_plan,
)
from billwright.features.subscriptions.operations import (
    change_quantity as changing_quantity,
)
from billwright.features.subscriptions.operations import (
    migrate_subscription as migrating,
)
from billwright.features.subscriptions.operations import (
    redeem_code as redeeming,
)
from billwright.surfaces.platform_api.subscription_changes_models import (
    AddOnInput,
    AddOnRemovalInput,
    MigrationInput,
    PlanChangeInput,
    QuantityChangeInput,
    RedemptionInput,
)
from billwright.surfaces.platform_api.subscription_routes import (
    OF_EVERY_COMMAND,
    OF_REDEEMING,
    Asked,
    command,
)
from billwright.surfaces.platform_api.versions import IfMatch, version_of

router = APIRouter(prefix="/subscriptions/{subscription_id}", tags=["subscriptions"])

_OF_CHANGES = (
    *OF_EVERY_COMMAND,
    component_unknown,
    effective_at_invalid,
    period_billed_elsewhere,
)


@command(
    router,
    "/change-plan",
    summary="Change the plan",
    refuses=(
        *_OF_CHANGES,
        plan_reference_unknown,
        plan_archived,
        currency_not_sold_after,
        charge_too_large,
    ),
)
async def change_plan(
    subscription_id: UUID, body: PlanChangeInput, if_match: IfMatch = None
) -> Asked:
    """To the newest version of a plan, which may be the plan that it has. A plan of another interval
    begins periods of its own. A change is made at once, noted (`pending_change`) if it comes later.
    """
    wanted = changing_plan.ChangePlan(
        subscription_id=subscription_id,
        plan_code=body.plan_code,
        quantities=body.quantities,
        timing=body.to_timing(),
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(changing_plan.change_plan, command=wanted),
        subscription_id=subscription_id,
        at=body.reckoned_at,
    )


@command(
    router,
    "/change-quantity",
    summary="Change quantities",
    refuses=(*_OF_CHANGES, charge_too_large),
)
async def change_quantity(
    subscription_id: UUID, body: QuantityChangeInput, if_match: IfMatch = None
) -> Asked:
    """Units of one or several components, in one change."""
    wanted = changing_quantity.ChangeQuantity(
        subscription_id=subscription_id,
        quantities=body.quantities,
        timing=body.to_timing(),
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(changing_quantity.change_quantity, command=wanted),
        subscription_id=subscription_id,
        at=body.reckoned_at,
    )


@command(
    router,
    "/add-ons",
    summary="Add an add-on",
    refuses=(*_OF_CHANGES, component_not_optional, add_on_present, charge_too_large),
)
async def add_add_on(subscription_id: UUID, body: AddOnInput, if_match: IfMatch = None) -> Asked:
    """What it charges once is charged the first time that it is added."""
    wanted = change_add_ons.AddAddOn(
        subscription_id=subscription_id,
        component_code=body.component,
        quantity=body.quantity,
        timing=body.to_timing(),
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(change_add_ons.add_add_on, command=wanted),
        subscription_id=subscription_id,
        at=body.reckoned_at,
    )


@command(
    router,
    "/add-ons/{component}/remove",
    summary="Remove an add-on",
    refuses=(*_OF_CHANGES, component_not_optional, add_on_absent),
)
async def remove_add_on(
    subscription_id: UUID, component: str, body: AddOnRemovalInput, if_match: IfMatch = None
) -> Asked:
    """What it charged once stays charged."""
    wanted = change_add_ons.RemoveAddOn(
        subscription_id=subscription_id,
        component_code=component,
        timing=body.to_timing(),
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(change_add_ons.remove_add_on, command=wanted),
        subscription_id=subscription_id,
        at=body.reckoned_at,
    )


@command(
    router,
    "/migrate",
    summary="Migrate to a version of the plan",
    refuses=(*_OF_CHANGES, plan_version_unknown, currency_not_sold_after, charge_too_large),
)
async def migrate_subscription(
    subscription_id: UUID, body: MigrationInput, if_match: IfMatch = None
) -> Asked:
    """To a newer version of the plan that it has, or back to an older one."""
    wanted = migrating.MigrateSubscription(
        subscription_id=subscription_id,
        version_number=body.version,
        quantities=body.quantities,
        timing=body.to_timing(),
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(migrating.migrate_subscription, command=wanted),
        subscription_id=subscription_id,
        at=body.reckoned_at,
    )


@command(
    router,
    "/undo-change",
    summary="Undo a pending change",
    refuses=(*OF_EVERY_COMMAND, nothing_pending),
)
async def undo_change(subscription_id: UUID, if_match: IfMatch = None) -> Asked:
    """What is pending does not come; what has come is changed back by another change."""
    wanted = undo.UndoChange(subscription_id=subscription_id, expected_version=version_of(if_match))
    return Asked(work=partial(undo.undo_change, command=wanted), subscription_id=subscription_id)


@command(
    router,
    "/redeem",
    summary="Redeem a promotion",
    refuses=(*OF_EVERY_COMMAND, *OF_REDEEMING),
)
async def redeem_code(
    subscription_id: UUID, body: RedemptionInput, if_match: IfMatch = None
) -> Asked:
    """It takes off from what is charged next; what is on an invoice already stays as it is."""
    wanted = redeeming.RedeemCode(
        subscription_id=subscription_id,
        promotion_code=body.promotion_code,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(redeeming.redeem_code, command=wanted), subscription_id=subscription_id
    )
