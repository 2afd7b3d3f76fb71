"""What do entries of the audit log look like in answers?"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from billwright.features.audit import model
from billwright.kernel.actor import Actor, ActorKind
from billwright.surfaces.manager_api.fields import CamelResponse, Moment


class AuditToken(CamelResponse):
    """A user's personal access token."""

    id: UUID
    name: Annotated[str, Field(description="As it was then.")]


class AuditActor(CamelResponse):
    """In whose name it was done."""

    kind: ActorKind
    name: str
    id: UUID | None
    token: Annotated[
        AuditToken | None,
        Field(
            description="The personal access token by which a program did it for the user; null "
            "where it was done in person or by a key."
        ),
    ]


class AuditEntryResponse(CamelResponse):
    """Something that was done. There is never a secret in it."""

    id: UUID
    action: Annotated[str, Field(examples=["user.lock"])]
    subject_type: Annotated[str, Field(description="What it was done to: `user`, `api_key`.")]
    subject_id: UUID
    actor: AuditActor
    cause: Annotated[str, Field(description="What asked for it: an operation or a job.")]
    address: Annotated[
        str | None,
        Field(description="The network address that asked for it; null for what no request did."),
    ]
    correlation_id: Annotated[
        str | None,
        Field(description="The `X-Correlation-Id` of the answer; null for what no request did."),
    ]
    occurred_at: Annotated[
        Moment, Field(description="In the time of the account, which may be on a test clock.")
    ]
    recorded_at: Annotated[Moment, Field(description="In the time of the machine.")]
    details: Annotated[dict[str, Any], Field(description="The values of what was asked for.")]


class AuditLogResponse(CamelResponse):
    """A part of the audit log, the newest first."""

    items: list[AuditEntryResponse]
    next_cursor: Annotated[
        str | None, Field(description="Pass it as `cursor` to read on; null on the last page.")
    ]


def audit_entry_response(entry: model.AuditRecord) -> AuditEntryResponse:
    return AuditEntryResponse(
        id=entry.id,
        action=entry.action,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        actor=_actor_response(entry.actor),
        cause=entry.cause,
        address=entry.address,
        correlation_id=entry.request_id,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        details=entry.details,
    )


def _actor_response(actor: Actor) -> AuditActor:
    token = actor.token and AuditToken(id=actor.token.id, name=actor.token.name)
    return AuditActor(kind=actor.kind, name=actor.name, id=actor.id, token=token)
