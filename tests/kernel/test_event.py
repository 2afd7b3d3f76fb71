"""Does an event say what happened, to what, and in which version?"""

from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar
from uuid import UUID

import pytest

from billwright.kernel.event import Event
from billwright.kernel.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRenamed(Event):
    type: ClassVar[str] = "plan.renamed"
    subject_type: ClassVar[str] = "plan"

    name: str
    changed_by: UUID | None = None


def test_an_event_adds_its_own_data():
    subject_id = new_id()
    event = PlanRenamed(subject_id=subject_id, account_id=None, name="Large")
    assert (event.type, event.version, event.subject_type) == ("plan.renamed", 1, "plan")
    assert (event.subject_id, event.account_id, event.name) == (subject_id, None, "Large")


def test_a_fact_does_not_change():
    event = PlanRenamed(subject_id=new_id(), account_id=None, name="Large")
    with pytest.raises(FrozenInstanceError):
        event.name = "Small"
