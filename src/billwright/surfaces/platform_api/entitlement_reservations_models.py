"""What does a reservation look like in requests and answers?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from billwright.features.entitlements.operations.finish_reservation import CommitReservation
from billwright.features.entitlements.operations.reserve_allotment import ReserveAllotment
from billwright.features.entitlements.rules.standing import Standing
from billwright.features.entitlements.sql.reads_reservations import (
    KeptReservation,
    ReservationStanding,
)
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.web.wire import (
    Code,
    Identifier,
    Instant,
    RequestModel,
    ResponseModel,
    Text,
)

_STATE = (
    "`held` counts against what remains; `expired` was neither committed nor released in time; "
    "`committed` has become usage; `released` was given back."
)
_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ReservationInput(RequestModel):
    """Something that is about to be used. `account_id` or `subscription_id` is given, or both."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "feature": "api_calls",
                    "amount": "25",
                    "client_id": "job-4711",
                    "ttl_seconds": 600,
                }
            ]
        }
    )

    account_id: Annotated[
        Identifier | None,
        Field(description="Means its only subscription that has the feature."),
    ] = None
    subscription_id: Annotated[
        Identifier | None, Field(description="The subscription whose usage it will be.")
    ] = None
    feature: Annotated[Code, Field(description="The code of a metered feature.")]
    amount: Annotated[
        Quantity,
        Field(description="How much, in units of the meter; 1 where the meter counts events."),
    ]
    client_id: Annotated[
        Text,
        Field(
            description="The caller's own name of it, unique in the account for ever: the same "
            "request again answers the same reservation, another one is refused."
        ),
    ]
    ttl_seconds: Annotated[
        int,
        Field(ge=1, le=86_400, description="After how many seconds it holds nothing any more."),
    ] = 300

    def to_command(self) -> ReserveAllotment:
        return ReserveAllotment(
            account_id=self.account_id,
            subscription_id=self.subscription_id,
            feature_code=self.feature,
            amount=self.amount,
            client_id=self.client_id,
            lasting=timedelta(seconds=self.ttl_seconds),
        )

    @model_validator(mode="after")
    def _names_somebody(self) -> ReservationInput:
        if self.account_id is None and self.subscription_id is None:
            raise PydanticCustomError(
                "subject_missing", "One of account_id and subscription_id is needed"
            )
        return self


class ReservationCommit(RequestModel):
    """What was used of a reservation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"amount": "21"}, {"properties": {"region": "eu"}}]}
    )

    amount: Annotated[
        Quantity | None,
        Field(description="Above 0, and no more than is reserved. Left out, it is all of that."),
    ] = None
    properties: Annotated[
        dict[_Name, Text | bool | int],
        Field(
            max_length=20,
            description="Of the usage, for meters that filter or group. The property that a meter "
            "adds up is set from the amount, and one that its filter leaves no choice about by itself.",
        ),
    ] = Field(default_factory=dict)

    def to_command(self, reservation_id: UUID) -> CommitReservation:
        return CommitReservation(
            reservation_id=reservation_id, amount=self.amount, properties=self.properties
        )


class Reservation(ResponseModel):
    """Something that somebody is about to use, or has used."""

    id: UUID
    client_id: Annotated[str, Field(description="The caller's own name of it.")]
    account_id: UUID
    subscription_id: Annotated[UUID, Field(description="Whose usage it is.")]
    feature: str
    amount: Annotated[Quantity, Field(description="What was reserved, in units of the meter.")]
    committed_amount: Annotated[
        Quantity | None, Field(description="What was used of it; null until it is committed.")
    ]
    state: Annotated[ReservationStanding, Field(description=_STATE)]
    expires_at: Annotated[
        Instant, Field(description="When it holds nothing any more, by the account's own time.")
    ]
    created_at: Instant
    finished_at: Annotated[Instant | None, Field(description="When it was committed or released.")]


class ReservedReservation(Reservation):
    """A reservation, and what is left beside it."""

    limit: Annotated[Quantity | None, Field(description="In units of the meter; null is no limit.")]
    used: Annotated[Quantity | None, Field(description="Since the count began.")]
    remaining: Annotated[
        Quantity | None,
        Field(description="What may be used beside all that is reserved; null without a limit."),
    ]
    resets_at: Annotated[
        Instant | None, Field(description="When the count starts anew; null when nobody knows.")
    ]


def to_response(kept: KeptReservation) -> Reservation:
    return Reservation.model_validate(_members(kept))


def to_reserved(kept: KeptReservation, standing: Standing | None) -> ReservedReservation:
    return ReservedReservation.model_validate(
        {
            **_members(kept),
            "limit": standing.limit if standing else None,
            "used": max(standing.used, 0) if standing else None,
            "remaining": standing.remaining if standing else None,
            "resets_at": standing.pool.window_end if standing else None,
        }
    )


def _members(kept: KeptReservation) -> dict[str, object]:
    reservation = kept.reservation
    return {
        "id": reservation.id,
        "client_id": reservation.client_id,
        "account_id": reservation.account_id,
        "subscription_id": reservation.subscription_id,
        "feature": reservation.feature,
        "amount": reservation.amount,
        "committed_amount": reservation.committed_amount,
        "state": kept.standing,
        "expires_at": reservation.expires_at,
        "created_at": reservation.created_at,
        "finished_at": reservation.finished_at,
    }
