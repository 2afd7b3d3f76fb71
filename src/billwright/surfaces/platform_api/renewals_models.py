"""What does the renewal of a subscription look like, in requests and answers?"""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from billwright.features.subscriptions import model
from billwright.features.subscriptions.operations.foresee_boundary import Foreseen
from billwright.features.subscriptions.operations.tell_boundaries import Ahead
from billwright.features.subscriptions.operations.update_renewal import (
    NextTerms,
    Pending,
    UpdateRenewal,
)
from billwright.features.subscriptions.rules.reminding import LONGEST_NOTICE_DAYS
from billwright.kernel.currency import currency_of
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.platform_api.subscription_answers import (
    PreviewDocument,
    PreviewLine,
    document_output,
    line_output,
)
from billwright.surfaces.platform_api.subscriptions_models import (
    PendingChange,
    SubscribedPlan,
    pending_change_output,
    plan_output,
)
from billwright.surfaces.web.wire import Code, Instant, RequestModel, ResponseModel

_REMINDER_DAYS = (
    "How many days before the end people are reminded; 0: never. Null: three days before the end of a "
    "trial, one day where it has up to three days, seven days before the renewal of a period of half a "
    "year or more, and not before shorter ones."
)
_RUNS = frozenset(
    {
        model.SubscriptionState.TRIALING,
        model.SubscriptionState.ACTIVE,
        model.SubscriptionState.PAST_DUE,
    }
)


class NextTermsInput(RequestModel):
    """What is sold from the renewal on: the newest version of a plan, or a version of the same plan."""

    plan_code: Annotated[
        Code | None, Field(description="The plan, in its newest version; it may be the same.")
    ] = None
    version: Annotated[
        int | None,
        Field(ge=1, le=2**31 - 1, description="The number of a version of the plan that it has."),
    ] = None
    quantities: Annotated[
        dict[Code, Quantity], Field(max_length=100, description=words.QUANTITIES_KEPT)
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.plan_code is None) == (self.version is None):
            raise PydanticCustomError(
                "one_of_two", "Must have `plan_code` or `version`, and not both"
            )
        return self


class RenewalUpdateInput(RequestModel):
    """What is to change of the next renewal; what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"renews": False},
                {"change": {"version": 3}},
                {"change": {"plan_code": "business", "quantities": {"seats": "5"}}},
                {"change": None, "reminder_days": 14},
            ]
        }
    )

    renews: Annotated[bool | None, Field(description=f"{words.RENEWS} Null: as it is.")] = None
    change: Annotated[
        NextTermsInput | None,
        Field(
            description="What it renews to; null: nothing changes, and what is pending is dropped."
        ),
    ] = None
    reminder_days: Annotated[
        int | None, Field(ge=0, le=LONGEST_NOTICE_DAYS, description=_REMINDER_DAYS)
    ] = None


class RenewalEntry(ResponseModel):
    """When a subscription is renewed, or ends."""

    subscription_id: Annotated[UUID, Field(description="What is renewed.")]
    account_id: Annotated[UUID, Field(description="Who pays.")]
    state: Annotated[model.SubscriptionState, Field(description="The subscription's state.")]
    plan: Annotated[SubscribedPlan, Field(description="The plan that it has now.")]
    renews_at: Annotated[
        Instant | None,
        Field(
            description="When the trial or the period that is running ends; null where none is, "
            "because the subscription has not begun, stands still or has ended."
        ),
    ]
    renews: Annotated[
        bool, Field(description="Whether it goes on then: it renews and is not canceled by then.")
    ]
    outcome: Annotated[
        model.Boundary | None, Field(description=f"{words.BOUNDARY} Null without `renews_at`.")
    ]
    pending_change: Annotated[
        PendingChange | None, Field(description="What it is to become; null without a change.")
    ]
    reminder_days: Annotated[int | None, Field(description=_REMINDER_DAYS)]
    reminder_at: Annotated[Instant | None, Field(description=words.REMINDER_AT)]
    version: Annotated[
        int, Field(description="The subscription's; also the `ETag`, for `If-Match`.")
    ]


class Renewal(RenewalEntry):
    """The next renewal with what it brings as things stand; usage up to then is not known yet."""

    documents: Annotated[
        list[PreviewDocument],
        Field(description="What would be invoiced then, with what waits for it and with tax."),
    ]
    pending_lines: Annotated[
        list[PreviewLine],
        Field(description="What would be charged then and wait for a later invoice, without tax."),
    ]
    problem: Annotated[
        str | None,
        Field(description="Why it could not be billed as things stand; null where it could."),
    ]


def from_request(
    subscription_id: UUID, body: RenewalUpdateInput, *, expected_version: int | None
) -> UpdateRenewal:
    given, change = body.model_fields_set, body.change
    return UpdateRenewal(
        subscription_id=subscription_id,
        renews=body.renews,
        terms=None
        if change is None
        else NextTerms(
            plan_code=change.plan_code,
            version_number=change.version,
            quantities=change.quantities,
        ),
        pending=Pending.DROP if "change" in given else Pending.KEEP,
        reminder=model.Reminder(body.reminder_days) if "reminder_days" in given else None,
        expected_version=expected_version,
    )


def to_entry(ahead: Ahead) -> RenewalEntry:
    return RenewalEntry(**_facts(ahead))


def to_renewal(ahead: Ahead, foreseen: Foreseen) -> Renewal:
    currency = currency_of(ahead.subscription.currency)
    return Renewal(
        **_facts(ahead),
        documents=[document_output(invoice, lines) for invoice, lines in foreseen.documents],
        pending_lines=[PreviewLine(**line_output(charge, currency)) for charge in foreseen.waiting],
        problem=foreseen.problem,
    )


def _facts(ahead: Ahead) -> dict[str, object]:
    subscription = ahead.subscription
    runs = subscription.state in _RUNS
    return {
        "subscription_id": subscription.id,
        "account_id": subscription.account_id,
        "state": subscription.state,
        "plan": plan_output(ahead.versions[subscription.plan_version_id]),
        "renews_at": subscription.period.end if runs else None,
        "renews": ahead.renews,
        "outcome": ahead.boundary if runs else None,
        "pending_change": pending_change_output(subscription, ahead.versions),
        "reminder_days": subscription.reminder.days,
        "reminder_at": ahead.reminder_at,
        "version": subscription.version,
    }
