"""Is a plan still the one that a command was decided on?"""

from __future__ import annotations

from billwright.features.catalog.errors import plan_stale
from billwright.features.catalog.model import Plan


def require_revision(plan: Plan, expected: int | None) -> None:
    """Nothing is required where nothing is expected. Refuses: `plan_stale`."""
    if expected not in {None, plan.revision}:
        raise plan_stale(plan_code=plan.code, expected=expected, actual=plan.revision)
