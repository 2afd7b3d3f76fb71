"""What does a trial look like, in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.subscriptions import model
from billwright.features.subscriptions.operations.tell_boundaries import Ahead
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.platform_api.subscriptions_inputs import SubscriptionInput
from billwright.surfaces.platform_api.subscriptions_models import SubscribedPlan, plan_output
from billwright.surfaces.web.wire import Instant, ResponseModel


class TrialInput(SubscriptionInput):
    """A subscription that begins with a trial: of so many days, until an instant, or as the plan says."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "plan_code": "team",
                    "trial_days": 14,
                    "trial_end_behavior": "pause",
                },
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "plan_code": "team",
                    "quantities": {"seats": "3"},
                    "trial_until": "2026-03-01T00:00:00+01:00",
                    "allow_repeated_trial": True,
                },
            ]
        }
    )


class Trial(ResponseModel):
    """The trial of a subscription, up to before `ends_at`."""

    id: Annotated[UUID, Field(description="The id of the subscription that it belongs to.")]
    account_id: Annotated[UUID, Field(description="Who tries.")]
    plan: Annotated[SubscribedPlan, Field(description="The plan that the subscription has now.")]
    state: Annotated[model.TrialState, Field(description=words.TRIAL_STATE)]
    starts_at: Annotated[Instant, Field(description="When it began, or is to begin.")]
    original_ends_at: Annotated[Instant, Field(description=words.ORIGINAL_END)]
    ends_at: Annotated[Instant, Field(description="When it ends, or has ended.")]
    days_left: Annotated[
        int,
        Field(
            description="Days up to its end by the account's clock, each that has begun counted; 0 "
            "when it is not active."
        ),
    ]
    end_behavior: Annotated[TrialEndBehavior, Field(description=words.TRIAL_END_BEHAVIOR)]
    at_end: Annotated[
        model.Boundary | None, Field(description=f"{words.BOUNDARY} Null when it is not active.")
    ]
    reminder_at: Annotated[Instant | None, Field(description=words.REMINDER_AT)]
    subscription_state: Annotated[
        model.SubscriptionState, Field(description="The state of its subscription.")
    ]
    version: Annotated[
        int, Field(description="The subscription's; also the `ETag`, for `If-Match`.")
    ]


def to_response(ahead: Ahead) -> Trial:
    subscription = ahead.subscription
    trial = subscription.trial
    assert trial.start is not None  # noqa: S101 - only subscriptions with a trial are asked for
    assert trial.end is not None  # noqa: S101
    assert trial.original_end is not None  # noqa: S101
    assert trial.state is not None  # noqa: S101
    is_active = trial.state is model.TrialState.ACTIVE
    return Trial(
        id=subscription.id,
        account_id=subscription.account_id,
        plan=plan_output(ahead.versions[subscription.plan_version_id]),
        state=trial.state,
        starts_at=trial.start,
        original_ends_at=trial.original_end,
        ends_at=trial.end,
        days_left=ahead.days_left if is_active else 0,
        end_behavior=trial.end_behavior,
        at_end=ahead.boundary if is_active else None,
        reminder_at=ahead.reminder_at if is_active else None,
        subscription_state=subscription.state,
        version=subscription.version,
    )
