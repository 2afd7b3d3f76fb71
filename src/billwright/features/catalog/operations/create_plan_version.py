"""How does a plan get new terms?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.catalog.errors import plan_archived, plan_version_stale
from billwright.features.catalog.events import PlanVersionCreated
from billwright.features.catalog.model import Plan, PlanStatus, PlanVersion
from billwright.features.catalog.operations.create_plan import (
    NewVersion,
    build_version,
    store_version,
)
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.catalog.sql.writes import count_revision, lock_plan
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePlanVersion(NewVersion):
    """All terms of a plan anew; `expected_version_number` is the newest version that they replace.

    The name is the version's own, which invoices show; the plan keeps its.
    """

    plan_code: str
    expected_version_number: int | None = None


async def create_plan_version(tx: Tx, command: CreatePlanVersion) -> PlanVersion:
    """Give a plan its next version, for subscriptions from now on; those that exist keep theirs.

    Refuses: `plan_unknown`, `plan_archived`, `plan_version_stale`, and what `build_version` and
    `store_version` refuse.
    """
    await lock_plan(tx, command.plan_code)
    plan = await plan_by_code(tx, command.plan_code)
    _require_may_change(plan, command)
    version = await build_version(
        tx, command, plan_id=plan.id, plan_code=plan.code, number=plan.version.number + 1
    )
    await store_version(tx, version, features=command.features)
    await count_revision(tx, plan.id)
    tx.publish(
        PlanVersionCreated(
            subject_id=plan.id,
            account_id=None,
            code=plan.code,
            name=version.name,
            version_number=version.number,
        )
    )
    tx.audit("plan.create_version", subject_type="plan", subject_id=plan.id, details=command)
    return version


def _require_may_change(plan: Plan, command: CreatePlanVersion) -> None:
    if plan.status is PlanStatus.ARCHIVED:
        raise plan_archived(plan_code=plan.code)
    expected = command.expected_version_number
    if expected is not None and expected != plan.version.number:
        raise plan_version_stale(plan_code=plan.code, expected=expected, actual=plan.version.number)
