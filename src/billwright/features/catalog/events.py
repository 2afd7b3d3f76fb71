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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersionCreated(Event):
    """New subscriptions get this version from now on; those that exist keep theirs."""

    type: ClassVar[str] = "plan.version_created"
    subject_type: ClassVar[str] = "plan"

    code: str
    name: str
    version_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUpdated(Event):
    """Its name, description or metadata changed; no terms did."""

    type: ClassVar[str] = "plan.updated"
    subject_type: ClassVar[str] = "plan"

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanArchived(Event):
    """It is no longer sold; subscriptions that exist go on."""

    type: ClassVar[str] = "plan.archived"
    subject_type: ClassVar[str] = "plan"

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureUpdated(Event):
    """It is called otherwise from now on; what versions of plans give keeps its name."""

    type: ClassVar[str] = "feature.updated"
    subject_type: ClassVar[str] = "feature"

    code: str
    name: str
