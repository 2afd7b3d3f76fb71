"""Which words do all lists have for what they are narrowed down by?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from billwright.surfaces.web.wire import CalendarDate, Instant

CreatedAfter = Annotated[
    Instant | None, Query(description="Only what was created at or after this instant.")
]
CreatedBefore = Annotated[
    Instant | None, Query(description="Only what was created before this instant.")
]
DayFrom = Annotated[CalendarDate | None, Query(description="This day or a later one.")]
DayUntil = Annotated[CalendarDate | None, Query(description="This day or an earlier one.")]
ExternalId = Annotated[
    str | None, Query(max_length=255, description="The platform's own id; at most one has it.")
]
