"""What happens to meters?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCreated(Event):
    type: ClassVar[str] = "meter.created"
    subject_type: ClassVar[str] = "meter"

    code: str
    name: str
    version_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterUpdated(Event):
    """It is called or described otherwise, or counts otherwise from now on: then it has a new version."""

    type: ClassVar[str] = "meter.updated"
    subject_type: ClassVar[str] = "meter"

    code: str
    name: str
    version_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterArchived(Event):
    """It stays as it is; what names it goes on being counted."""

    type: ClassVar[str] = "meter.archived"
    subject_type: ClassVar[str] = "meter"

    code: str
    name: str
