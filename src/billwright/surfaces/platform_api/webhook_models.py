"""What do webhooks look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from billwright.features.webhooks import model
from billwright.features.webhooks.operations.create_endpoint import CreateEndpoint
from billwright.features.webhooks.operations.replay_events import ReplaySince
from billwright.features.webhooks.operations.update_endpoint import (
    EndpointChanges,
    UpdateEndpoint,
)
from billwright.features.webhooks.rules.target import LONGEST_URL
from billwright.surfaces.web.wire import Choice, Instant, Prose, RequestModel, ResponseModel

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_URL),
    Field(
        description="An https address on port 443 or from 1024 on, which leads to public IP addresses.",
        examples=["https://platform.example.com/billing-events"],
    ),
]
EventTypes = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z_]*\.[a-z][a-z_]*)$")]],
    Field(min_length=1, max_length=200, description="Types of events; `*` is every one."),
]
_VERSION = "The form in which events are sent there; a newer one changes nothing for it."
_EXAMPLE: JsonDict = {
    "url": "https://platform.example.com/billing-events",
    "description": "Access and bookkeeping",
    "event_types": ["invoice.finalized", "invoice.paid", "subscription.canceled"],
}


class WebhookEndpointInput(RequestModel):
    """An address that is told of events."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    url: Url
    description: Prose = ""
    event_types: EventTypes = Field(default_factory=lambda: [model.EVERY_TYPE])
    api_version: Annotated[Choice[model.ApiVersion], Field(description=_VERSION)] = (
        model.ApiVersion.V1
    )


class WebhookEndpointUpdateInput(RequestModel):
    """What is left out, or null, stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"event_types": ["*"]}]})

    url: Url | None = None
    description: Prose | None = None
    event_types: EventTypes | None = None
    api_version: Annotated[Choice[model.ApiVersion] | None, Field(description=_VERSION)] = None


class WebhookReplayInput(RequestModel):
    """Which part of the log is sent again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"since": "2026-02-01T00:00:00Z", "scope": "undelivered"}]}
    )

    since: Annotated[
        Instant, Field(description="From this instant on, at most 30 days ago; by `recorded_at`.")
    ]
    scope: Annotated[
        Choice[model.ReplayScope],
        Field(
            description="`undelivered`: what was not delivered, or never sent there; `everything`: what "
            "was delivered, too."
        ),
    ] = model.ReplayScope.UNDELIVERED


class WebhookEndpoint(ResponseModel):
    """An address that is told of events."""

    id: UUID
    url: str
    description: str
    event_types: list[str]
    api_version: Annotated[model.ApiVersion, Field(description=_VERSION)]
    status: Annotated[
        model.EndpointStatus, Field(description="Nothing is sent to one that is `disabled`.")
    ]
    disabled_reason: Annotated[
        model.DisabledReason | None,
        Field(
            description="`requested`; `gone`: it answered 410; `failing`: no success for five days."
        ),
    ]
    disabled_at: Instant | None
    failing_since: Annotated[
        Instant | None,
        Field(description="When it failed first after its last success; null while all is well."),
    ]
    rests_until: Annotated[
        Instant | None, Field(description="Until when nothing is sent there, to let it recover.")
    ]
    former_secret_until: Annotated[
        Instant | None, Field(description="Until when the secret that was replaced signs too.")
    ]
    is_replaying: Annotated[bool, Field(description="Whether a part of the log is being replayed.")]
    version: int
    created_at: Instant
    updated_at: Instant


class WebhookEndpointWithSecret(WebhookEndpoint):
    """An endpoint and the secret that signs what is sent there, which nothing shows again."""

    secret: Annotated[
        str, Field(description="`whsec_` and the base64 text of the key.", examples=["whsec_…"])
    ]


class WebhookTest(ResponseModel):
    """The event that is on its way."""

    event_id: UUID


class WebhookDelivery(ResponseModel):
    """An event on its way to an endpoint."""

    webhook_endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject_id: UUID
    sequence: Annotated[int, Field(description="The event's place in the log.")]
    state: Annotated[
        model.DeliveryState,
        Field(
            description="`failed`: not accepted for three days; `canceled`: the endpoint was disabled."
        ),
    ]
    attempts: Annotated[int, Field(description="How often it was sent since it was asked for.")]
    next_attempt_at: Annotated[
        Instant | None,
        Field(
            description="Not before this instant; later while an earlier event of the same subject is "
            "pending, or the endpoint rests."
        ),
    ]
    created_at: Instant
    ended_at: Instant | None


class WebhookAttempt(ResponseModel):
    """One request to an endpoint, and what it answered."""

    id: UUID
    webhook_endpoint_id: UUID
    event_id: UUID
    event_type: str
    number: Annotated[int, Field(description="Counts since the delivery was asked for.")]
    sent_at: Instant
    duration_ms: Annotated[int, Field(description="Milliseconds until the answer was read.")]
    status: Annotated[
        int | None, Field(description="The HTTP status; 2xx is success. Null: nobody answered.")
    ]
    error: Annotated[str | None, Field(description="Why nobody answered.")]
    answer: Annotated[str, Field(description="How the answer begins, at most 500 characters.")]


def from_request(body: WebhookEndpointInput) -> CreateEndpoint:
    return CreateEndpoint(
        url=body.url,
        description=body.description,
        event_types=tuple(body.event_types),
        api_version=body.api_version,
    )


def from_update_request(body: WebhookEndpointUpdateInput, endpoint_id: UUID) -> UpdateEndpoint:
    changes = EndpointChanges()
    if body.url is not None:
        changes["url"] = body.url
    if body.description is not None:
        changes["description"] = body.description
    if body.event_types is not None:
        changes["event_types"] = tuple(body.event_types)
    if body.api_version is not None:
        changes["api_version"] = body.api_version
    return UpdateEndpoint(endpoint_id=endpoint_id, changes=changes)


def from_replay_request(body: WebhookReplayInput, endpoint_id: UUID) -> ReplaySince:
    return ReplaySince(endpoint_id=endpoint_id, since=body.since, scope=body.scope)


def to_response(endpoint: model.Endpoint) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        description=endpoint.description,
        event_types=list(endpoint.event_types),
        api_version=endpoint.api_version,
        status=endpoint.status,
        disabled_reason=endpoint.disabled_reason,
        disabled_at=endpoint.disabled_at,
        failing_since=endpoint.health.failing_since,
        rests_until=endpoint.health.rests_until,
        former_secret_until=endpoint.former_secret_until,
        is_replaying=endpoint.replay is not None,
        version=endpoint.version,
        created_at=endpoint.created_at,
        updated_at=endpoint.updated_at,
    )


def with_secret(endpoint: model.Endpoint, secret: str) -> WebhookEndpointWithSecret:
    return WebhookEndpointWithSecret(**dict(to_response(endpoint)), secret=secret)


def to_delivery(delivery: model.Delivery) -> WebhookDelivery:
    return WebhookDelivery(
        webhook_endpoint_id=delivery.endpoint_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        subject_id=delivery.subject_id,
        sequence=delivery.position,
        state=delivery.state,
        attempts=delivery.attempts,
        next_attempt_at=delivery.next_attempt_at,
        created_at=delivery.created_at,
        ended_at=delivery.ended_at,
    )


def to_attempt(attempt: model.Attempt) -> WebhookAttempt:
    return WebhookAttempt(
        id=attempt.id,
        webhook_endpoint_id=attempt.endpoint_id,
        event_id=attempt.event_id,
        event_type=attempt.event_type,
        number=attempt.number,
        sent_at=attempt.sent_at,
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        error=attempt.error,
        answer=attempt.answer,
    )
