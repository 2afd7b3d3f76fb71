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
class FeatureCreated(Event):
    """By itself; of one that comes with a plan, that plan tells."""

    type: ClassVar[str] = "feature.created"
    subject_type: ClassVar[str] = "feature"

    code: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureUpdated(Event):
    """`changed` names what is not as it was, in alphabetical order; what versions of plans give keeps
    its name. Where a default, a meter or how sources come together has changed, so has what accounts
    may use.
    """

    type: ClassVar[str] = "feature.updated"
    subject_type: ClassVar[str] = "feature"

    code: str
    name: str
    changed: tuple[str, ...]
