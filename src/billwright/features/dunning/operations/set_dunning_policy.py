"""How does a seller say what is done about unpaid invoices?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.dunning.errors import dunning_policy_stale
from billwright.features.dunning.events import DunningPolicyChanged
from billwright.features.dunning.rules.policy import DunningPolicy, definition_of
from billwright.features.dunning.rules.records import KeptPolicy
from billwright.features.dunning.sql.reads_policies import policy_for
from billwright.features.dunning.sql.writes import delete_policy, lock_policy, upsert_policy
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDunningPolicy:
    """Pursue debts of a plan or, without one, of the seller in general under a policy from now on.

    `expected_version` refuses the command when someone else changed the policy first; 0 is none.
    """

    policy: DunningPolicy
    plan_code: str | None = None
    expected_version: int | None = None


async def set_dunning_policy(tx: Tx, command: SetDunningPolicy) -> KeptPolicy:
    """Set a policy. Debts that are pursued already keep the one that they were opened under.

    Refuses: `plan_unknown`, `dunning_policy_stale`.
    """
    plan_id = None
    if command.plan_code is not None:
        plan_id = (await plan_by_code(tx, command.plan_code)).id
    version = await lock_policy(tx, plan_id)
    _require_version(version, expected=command.expected_version)
    await upsert_policy(tx, command.policy, plan_id=plan_id)
    tx.publish(
        DunningPolicyChanged(
            subject_id=plan_id or tx.tenant_id, account_id=None, plan_code=command.plan_code
        )
    )
    tx.audit(
        "dunning_policy.set",
        subject_type="dunning_policy",
        subject_id=plan_id or tx.tenant_id,
        details={"plan_code": command.plan_code, "policy": definition_of(command.policy)},
    )
    return await policy_for(tx, plan_id)


async def reset_dunning_policy(
    tx: Tx, plan_code: str, *, expected_version: int | None = None
) -> None:
    """Let the seller's own policy hold for a plan again. Where that is so already, nothing changes.

    Refuses: `plan_unknown`, `dunning_policy_stale`.
    """
    plan = await plan_by_code(tx, plan_code)
    _require_version(await lock_policy(tx, plan.id), expected=expected_version)
    if not await delete_policy(tx, plan.id):
        return
    tx.publish(DunningPolicyChanged(subject_id=plan.id, account_id=None, plan_code=plan.code))
    tx.audit("dunning_policy.reset", subject_type="dunning_policy", subject_id=plan.id)


def _require_version(version: int | None, *, expected: int | None) -> None:
    if expected not in {None, version or 0}:
        raise dunning_policy_stale(expected=expected, actual=version or 0)
