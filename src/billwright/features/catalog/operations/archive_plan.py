"""How does a plan stop being sold?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.catalog.events import PlanArchived
from billwright.features.catalog.model import Plan, PlanStatus
from billwright.features.catalog.rules.revision import require_revision
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.catalog.sql.writes import lock_plan, set_plan_status
from billwright.runtime.db.tx import Tx


async def archive_plan(tx: Tx, plan_code: str, *, expected_revision: int | None = None) -> Plan:
    """Sell a plan no more; subscriptions that exist go on. Archiving it again changes nothing.

    Refuses: `plan_unknown`, `plan_stale`.
    """
    await lock_plan(tx, plan_code)
    plan = await plan_by_code(tx, plan_code)
    require_revision(plan, expected_revision)
    tx.audit("plan.archive", subject_type="plan", subject_id=plan.id)
    if plan.status is PlanStatus.ARCHIVED:
        return plan
    await set_plan_status(tx, plan_id=plan.id, status=PlanStatus.ARCHIVED)
    tx.publish(PlanArchived(subject_id=plan.id, account_id=None, code=plan.code, name=plan.name))
    return replace(plan, status=PlanStatus.ARCHIVED, revision=plan.revision + 1)
