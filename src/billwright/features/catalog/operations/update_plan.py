"""How does a plan get another name?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from billwright.features.catalog.events import PlanUpdated
from billwright.features.catalog.model import Plan
from billwright.features.catalog.rules.revision import require_revision
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.catalog.sql.writes import describe_plan, lock_plan
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePlan:
    """What is to be another; what is none stays as it is. Metadata are replaced as a whole."""

    plan_code: str
    name: str | None = None
    description: str | None = None
    metadata: dict[str, str] | None = None
    expected_revision: int | None = None


async def update_plan(tx: Tx, command: UpdatePlan) -> Plan:
    """Change how a plan is described; its versions keep their names.

    Refuses: `plan_unknown`, `plan_stale`.
    """
    await lock_plan(tx, command.plan_code)
    before = await plan_by_code(tx, command.plan_code)
    require_revision(before, command.expected_revision)
    plan = replace(
        before,
        name=before.name if command.name is None else command.name,
        description=before.description if command.description is None else command.description,
        metadata=before.metadata if command.metadata is None else command.metadata,
    )
    if plan != before:
        plan = replace(plan, revision=before.revision + 1)
        await describe_plan(tx, plan)
        tx.publish(PlanUpdated(subject_id=plan.id, account_id=None, code=plan.code, name=plan.name))
    tx.audit("plan.update", subject_type="plan", subject_id=plan.id, details=command)
    return plan
