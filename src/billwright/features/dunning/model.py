"""How are the records of dunning named?"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType
from uuid import UUID

DunningCaseId = NewType("DunningCaseId", UUID)
DunningPolicyId = NewType("DunningPolicyId", UUID)


class PolicyScope(StrEnum):
    """For what a policy was set: for a plan, for the seller's invoices in general, or for nothing, so
    that the default holds.
    """

    PLAN = "plan"
    SELLER = "seller"
    DEFAULT = "default"
