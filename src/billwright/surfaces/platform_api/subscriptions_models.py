"""What does a subscription look like in requests and answers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from billwright.features.catalog.model import PlanVersion
from billwright.features.subscriptions import model
from billwright.features.subscriptions.operations.create_subscription import CreateSubscription
from billwright.surfaces.platform_api.fields import KnownCurrency, Quantity
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    CurrencyCode,
    Identifier,
    Instant,
    Metadata,
    Prose,
    RequestModel,
    ResponseModel,
    Text,
)


class SubscriptionInput(RequestModel):
    """A subscription of an account to a plan's newest version, from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "plan_code": "team",
                    "quantities": {"seats": "3"},
                }
            ]
        }
    )

    account_id: Identifier
    plan_code: Code
    quantities: Annotated[
        dict[Code, Quantity],
        Field(
            max_length=100,
            description="Units by the code of a component; a component that is not named has one.",
        ),
    ] = Field(default_factory=dict)
    currency: Annotated[
        KnownCurrency | None, Field(description="Left out: the account's currency.")
    ] = None
    external_id: Annotated[
        Text | None, Field(description="The platform's own id; no two subscriptions share one.")
    ] = None
    metadata: Metadata = Field(default_factory=dict)


class CancellationInput(RequestModel):
    """How a subscription is to end."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mode": "period_end", "reason": "unused"}]}
    )

    mode: Annotated[
        Choice[model.CancellationMode],
        Field(
            description="`period_end` ends it with the period that is paid for. `now` ends it at "
            "once; what was paid in advance is not refunded by it."
        ),
    ]
    reason: Annotated[
        Choice[model.CancellationReason] | None, Field(description="The customer's feedback.")
    ] = None
    comment: Annotated[Prose | None, Field(description="In the customer's own words.")] = None


class SubscribedPlan(ResponseModel):
    """The plan and the version of its terms that were sold."""

    code: str
    name: str
    version: int


class BillingPeriod(ResponseModel):
    """The period that a subscription is in, or was in when it ended: `start` up to before `end`."""

    index: Annotated[int, Field(description="0 is the first period.")]
    start: Instant
    end: Instant


class SubscribedItem(ResponseModel):
    """How many units of a component are subscribed to."""

    component: Annotated[str, Field(description="The component's code.")]
    quantity: Quantity


class Subscription(ResponseModel):
    """A subscription as it stands."""

    id: UUID
    number: Annotated[str, Field(examples=["SUB-000001"])]
    external_id: str | None
    account_id: UUID
    plan: SubscribedPlan
    state: model.SubscriptionState
    currency: CurrencyCode
    period: BillingPeriod
    items: list[SubscribedItem]
    started_at: Instant
    cancel_at: Annotated[Instant | None, Field(description="When it will end, or has ended.")]
    canceled_at: Annotated[Instant | None, Field(description="When its end was asked for.")]
    cancellation_reason: model.CancellationReason | None
    cancellation_comment: str | None
    ended_at: Instant | None
    test_clock_id: UUID | None
    metadata: dict[str, str]
    version: Annotated[
        int, Field(description="Grows with every change; also the `ETag`, for `If-Match`.")
    ]
    created_at: Instant
    updated_at: Instant


class StartedSubscription(Subscription):
    """A new subscription with the invoices of its beginning."""

    invoice_ids: list[UUID]


def from_request(body: SubscriptionInput) -> CreateSubscription:
    return CreateSubscription(
        account_id=body.account_id,
        plan_code=body.plan_code,
        quantities=body.quantities,
        currency=body.currency,
        external_id=body.external_id,
        metadata=body.metadata,
    )


def to_response(subscription: model.Subscription, version: PlanVersion) -> Subscription:
    codes: dict[UUID, str] = {component.id: component.code for component in version.components}
    period = subscription.period
    return Subscription(
        id=subscription.id,
        number=subscription.reference,
        external_id=subscription.external_id,
        account_id=subscription.account_id,
        plan=SubscribedPlan(code=version.plan_code, name=version.name, version=version.number),
        state=subscription.state,
        currency=subscription.currency,
        period=BillingPeriod(index=period.index, start=period.start, end=period.end),
        items=[
            SubscribedItem(component=codes[item.plan_component_id], quantity=item.quantity)
            for item in subscription.items
        ],
        started_at=subscription.started_at,
        cancel_at=subscription.cancel_at,
        canceled_at=subscription.canceled_at,
        cancellation_reason=subscription.cancellation_reason,
        cancellation_comment=subscription.cancellation_comment,
        ended_at=subscription.ended_at,
        test_clock_id=subscription.test_clock_id,
        metadata=subscription.metadata,
        version=subscription.version,
        created_at=subscription.created_at,
        updated_at=subscription.updated_at,
    )


def started(subscription: Subscription, *, invoice_ids: Sequence[UUID]) -> StartedSubscription:
    return StartedSubscription(**dict(subscription), invoice_ids=list(invoice_ids))
