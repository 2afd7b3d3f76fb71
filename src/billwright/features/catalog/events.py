"""What happens in the catalog?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCreated(Event):
    type: ClassVar[str] = "plan.created"
    subject_type: ClassVar[str] = "plan"

    code: str
    name: str
    version_number: int
