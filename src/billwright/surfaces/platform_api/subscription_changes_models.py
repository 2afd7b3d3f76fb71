"""What does a platform say to change what a subscription consists of?"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticKnownError

from billwright.features.subscriptions.model import OnPaymentFailure, Proration
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.platform_api.fields import LARGEST_COUNT, Quantity
from billwright.surfaces.web.wire import Choice, Code, Instant, RequestModel, Text

_AT_AN_INSTANT: JsonDict = {"effective": "at", "effective_at": "2026-02-10T00:00:00+01:00"}


class TimingInput(RequestModel):
    """When a change comes, and what it costs."""

    effective: Annotated[Choice[Effective], Field(description=words.EFFECTIVE)] = Effective.NOW
    effective_at: Annotated[
        Instant | None, Field(validate_default=True, description=words.EFFECTIVE_AT)
    ] = None
    proration: Annotated[Choice[Proration], Field(description=words.PRORATION)] = (
        Proration.INVOICE_NOW
    )
    on_payment_failure: Annotated[
        Choice[OnPaymentFailure], Field(description=words.ON_PAYMENT_FAILURE)
    ] = OnPaymentFailure.KEEP_OLD

    @property
    def reckoned_at(self) -> datetime | None:
        """The instant that prorating goes by, if the request says one."""
        return None if self.effective is Effective.PERIOD_END else self.effective_at

    def to_timing(self) -> ChangeTiming:
        return ChangeTiming(
            effective=self.effective,
            at=self.effective_at,
            proration=self.proration,
            on_payment_failure=self.on_payment_failure,
        )

    @field_validator("effective_at")
    @classmethod
    def _is_said_where_it_is_needed(
        cls, value: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        if value is None and info.data.get("effective") is Effective.AT:
            raise PydanticKnownError("missing")
        return value


class PlanChangeInput(TimingInput):
    """Another plan: its newest version, and which units of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"plan_code": "business", "quantities": {"seats": "5"}},
                {"plan_code": "solo", "effective": "period_end"},
                {"plan_code": "business", **_AT_AN_INSTANT, "proration": "next_invoice"},
            ]
        }
    )

    plan_code: Code
    quantities: Annotated[
        dict[Code, Quantity], Field(max_length=100, description=words.QUANTITIES_KEPT)
    ] = Field(default_factory=dict)


class QuantityChangeInput(TimingInput):
    """Other numbers of units."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"quantities": {"seats": "5"}},
                {"quantities": {"seats": "2"}, "effective": "period_end"},
            ]
        }
    )

    quantities: Annotated[
        dict[Code, Quantity],
        Field(
            min_length=1,
            max_length=100,
            description="Units by the code of a component; others stay as they are. An add-on of no "
            "units is removed.",
        ),
    ]


class AddOnInput(TimingInput):
    """An optional component of the plan that is to be added."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"component": "support", "quantity": "1", "proration": "next_invoice"}]
        }
    )

    component: Annotated[Code, Field(description="The component's code.")]
    quantity: Quantity = Decimal(1)


class AddOnRemovalInput(TimingInput):
    """When an add-on is to go."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"effective": "period_end"}]})


class MigrationInput(TimingInput):
    """Another version of the same plan, by default with the next renewal."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 3}, {"version": 3, "effective": "now"}]}
    )

    effective: Annotated[Choice[Effective], Field(description=words.EFFECTIVE)] = (
        Effective.PERIOD_END
    )
    version: Annotated[
        int, Field(ge=1, le=LARGEST_COUNT, description="The number of the plan's version.")
    ]
    quantities: Annotated[
        dict[Code, Quantity], Field(max_length=100, description=words.QUANTITIES_KEPT)
    ] = Field(default_factory=dict)


class RedemptionInput(RequestModel):
    """A promotion's code for a subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"promotion_code": "SPRING20"}]})

    promotion_code: Annotated[
        Text, Field(description="Capitals and spaces around it do not count.")
    ]
