"""How is a length of time on the calendar sent?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.refusal import Refusal
from billwright.surfaces.web.wire import Choice, RequestModel


class IntervalInput(RequestModel):
    """A length of time on the calendar, up to about ten years."""

    unit: Choice[IntervalUnit]
    count: Annotated[int, Field(description="How many units, at least 1.")] = 1

    def to_interval(self) -> Interval:
        return Interval(self.unit, self.count)

    @model_validator(mode="after")
    def _is_possible(self) -> IntervalInput:
        try:
            self.to_interval()
        except Refusal as refusal:
            facts = {"detail": refusal.detail}
            raise PydanticCustomError(refusal.code, "{detail}", facts) from None
        return self
