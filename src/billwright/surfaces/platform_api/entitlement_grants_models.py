"""What does an entitlement grant look like in requests and answers?"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from billwright.features.entitlements.operations.grant_allotment import GrantAllotment
from billwright.features.entitlements.rules.granting import Grant
from billwright.features.entitlements.rules.pool import ALLOWANCE_PRIORITY
from billwright.features.entitlements.sql.reads_grants import KeptGrant
from billwright.kernel.calendar import IntervalUnit
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.platform_api.intervals import IntervalInput
from billwright.surfaces.web.wire import (
    Code,
    Identifier,
    Instant,
    Metadata,
    RequestModel,
    ResponseModel,
    Text,
)

_EXAMPLE: JsonDict = {
    "feature": "api_calls",
    "amount": "5000",
    "reason": "Bought beside the plan",
    "expires_at": "2027-01-01T00:00:00Z",
    "priority": 50,
}
_PRIORITY = (
    "Usage is taken from the lowest first, then from what expires earlier, was created earlier. What "
    "plans and overrides give has 100 and expires when the count starts anew."
)
_ROLLOVER = (
    "kept when the count starts anew, in units of the meter: what is left, but at {} so much."
)


class EntitlementGrantInput(RequestModel):
    """So much of a metered feature, to be used beside what plans give, or without any of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    feature: Annotated[Code, Field(description="The code of a metered feature.")]
    subscription_id: Annotated[
        Identifier | None,
        Field(
            description="To which subscription; needed where each has its own of the feature "
            "(`combination` is `parallel`), else null."
        ),
    ] = None
    amount: Annotated[Quantity, Field(description="How much, in units of the meter; above 0.")]
    reason: Annotated[Text, Field(description="Why; for whoever asks later.")]
    effective_at: Annotated[
        Instant | None,
        Field(description="From when on; not before now, by the account's own time. Null is now."),
    ] = None
    expires_at: Annotated[
        Instant | None,
        Field(
            description="Up to when, exclusive; after `effective_at`. Null is until it is used up."
        ),
    ] = None
    priority: Annotated[int, Field(ge=0, le=1000, description=_PRIORITY)] = ALLOWANCE_PRIORITY
    rollover_min: Annotated[Quantity, Field(description=f"What is {_ROLLOVER.format('least')}")] = (
        Decimal(0)
    )
    rollover_max: Annotated[
        Quantity | None,
        Field(description=f"What is {_ROLLOVER.format('most')} Null is the amount."),
    ] = None
    recurrence: Annotated[
        IntervalInput | None,
        Field(
            description="How often it is issued again, counted from `effective_at` in the account's "
            "zone: what is left is then the amount again. A day at least; null is never."
        ),
    ] = None
    metadata: Metadata = Field(default_factory=dict)


class GrantState(StrEnum):
    """How a grant stands at its account's time."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    VOIDED = "voided"


class GrantRecurrence(ResponseModel):
    """How often a grant is issued again."""

    unit: IntervalUnit
    count: int


class EntitlementGrant(ResponseModel):
    """So much of a metered feature, beside what plans give."""

    id: UUID
    account_id: UUID
    subscription_id: Annotated[UUID | None, Field(description="Null is all of the account.")]
    feature: str
    state: Annotated[
        GrantState,
        Field(
            description="`scheduled` until it takes effect, `active` until it expires, also when it "
            "is used up; `voided` when somebody has taken it back."
        ),
    ]
    amount: Annotated[Quantity, Field(description="In units of the meter.")]
    balance: Annotated[
        Quantity,
        Field(description="What is left of it; of one that is over, what was left then."),
    ]
    effective_at: Annotated[Instant, Field(description="From when on.")]
    expires_at: Annotated[
        Instant | None, Field(description="Up to when, exclusive; null is for good.")
    ]
    priority: Annotated[int, Field(description=_PRIORITY)]
    rollover_min: Annotated[Quantity, Field(description=f"What is {_ROLLOVER.format('least')}")]
    rollover_max: Annotated[Quantity, Field(description=f"What is {_ROLLOVER.format('most')}")]
    recurrence: Annotated[
        GrantRecurrence | None, Field(description="How often it is issued again; null is never.")
    ]
    reason: str
    metadata: dict[str, str]
    voided_at: Annotated[Instant | None, Field(description="When it was taken back.")]
    created_at: Instant


def from_request(body: EntitlementGrantInput, account_id: UUID) -> GrantAllotment:
    return GrantAllotment(
        account_id=account_id,
        feature_code=body.feature,
        subscription_id=body.subscription_id,
        grant=Grant(
            amount=body.amount,
            reason=body.reason,
            effective_at=body.effective_at,
            expires_at=body.expires_at,
            priority=body.priority,
            rollover_min=body.rollover_min,
            rollover_max=body.rollover_max,
            recurrence=body.recurrence.to_interval() if body.recurrence else None,
            metadata=body.metadata,
        ),
    )


def to_response(kept: KeptGrant, *, left: Decimal) -> EntitlementGrant:
    grant = kept.allotment
    recurrence = grant.recurrence
    return EntitlementGrant(
        id=grant.id,
        account_id=grant.account_id,
        subscription_id=kept.subscription_id,
        feature=kept.feature,
        state=_state(kept, kept.now),
        amount=grant.amount or Decimal(0),
        balance=left,
        effective_at=grant.effective_at,
        expires_at=grant.expires_at,
        priority=grant.priority,
        rollover_min=grant.rollover_min,
        rollover_max=grant.rollover_max,
        recurrence=GrantRecurrence(unit=recurrence.unit, count=recurrence.count)
        if recurrence
        else None,
        reason=grant.reason,
        metadata=dict(grant.metadata),
        voided_at=grant.voided_at,
        created_at=grant.created_at,
    )


def _state(kept: KeptGrant, now: datetime) -> GrantState:
    grant = kept.allotment
    if grant.voided_at is not None:
        return GrantState.VOIDED
    if grant.expires_at is not None and grant.expires_at <= now:
        return GrantState.EXPIRED
    return GrantState.ACTIVE if grant.effective_at <= now else GrantState.SCHEDULED
