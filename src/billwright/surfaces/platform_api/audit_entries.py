"""Who did what, in answers to the seller's own platform?"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from billwright.features.audit import model
from billwright.features.audit.sql.reads import list_entries
from billwright.kernel.actor import Actor, ActorKind
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant, ResponseModel

router = APIRouter(tags=["audit"])

_LISTING = Listing("audit_entries", tuple[UUID])


class AuditToken(ResponseModel):
    """A user's personal access token."""

    id: UUID
    name: Annotated[str, Field(description="As it was then.")]


class AuditActor(ResponseModel):
    """In whose name it was done."""

    kind: ActorKind
    name: str
    id: UUID | None
    token: Annotated[
        AuditToken | None,
        Field(
            description="The personal access token by which a program did it for the user; null "
            "where it was done in person or by an API key."
        ),
    ]


class AuditEntry(ResponseModel):
    """Something that was done. There is never a secret in it."""

    id: UUID
    action: Annotated[str, Field(examples=["api_key.create"])]
    subject_type: Annotated[str, Field(description="What it was done to: `user`, `api_key`.")]
    subject_id: Annotated[UUID, Field(description="The id of what it was done to.")]
    actor: AuditActor
    cause: Annotated[str, Field(description="What asked for it: an operation or a job.")]
    address: Annotated[
        str | None,
        Field(description="The network address that asked for it; null for what no request did."),
    ]
    request_id: Annotated[
        str | None,
        Field(description="The `X-Request-Id` of the answer; null for what no request did."),
    ]
    occurred_at: Annotated[
        Instant, Field(description="In the time of the account, which may be on a test clock.")
    ]
    recorded_at: Annotated[Instant, Field(description="In the time of the machine.")]
    details: Annotated[dict[str, Any], Field(description="The values of what was asked for.")]


def to_response(entry: model.AuditRecord) -> AuditEntry:
    return AuditEntry(
        id=entry.id,
        action=entry.action,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        actor=_to_actor(entry.actor),
        cause=entry.cause,
        address=entry.address,
        request_id=entry.request_id,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        details=entry.details,
    )


def _to_actor(actor: Actor) -> AuditActor:
    token = actor.token and AuditToken(id=actor.token.id, name=actor.token.name)
    return AuditActor(kind=actor.kind, name=actor.name, id=actor.id, token=token)


@router.get("/audit-entries", summary="Read the audit log", responses=refusals.of_listing())
async def list_audit_entries(
    reader: Reader,
    page: PageParameters,
    action: Annotated[
        Code | None,
        Query(description="This action, or with a dot at its end all that begin like it: `user.`."),
    ] = None,
    actor_id: Annotated[
        UUID | None,
        Query(description="Only what this user, in person or by any token, or this key did."),
    ] = None,
    subject_id: Annotated[UUID | None, Query(description="Only what was done to this.")] = None,
    request_id: Annotated[
        str | None,
        Query(pattern=r"^[\x20-\x7e]{1,128}$", description="Only what this request did."),
    ] = None,
    recorded_after: Annotated[
        Instant | None, Query(description="Only what was recorded at or after this instant.")
    ] = None,
    recorded_before: Annotated[
        Instant | None, Query(description="Only what was recorded before this instant.")
    ] = None,
) -> Page[AuditEntry]:
    """Newest first."""
    filters = {
        "action": action,
        "actor_id": actor_id,
        "subject_id": subject_id,
        "request_id": request_id,
        "recorded_after": recorded_after,
        "recorded_before": recorded_before,
    }
    after = _LISTING.after(page, filters=filters)
    query = model.AuditQuery(
        action=action,
        actor_id=actor_id,
        subject_id=subject_id,
        request_id=request_id,
        since=recorded_after,
        until=recorded_before,
    )
    async with reader.tx() as tx:
        entries = await list_entries(
            tx, query, before=after[0] if after else None, limit=page.limit + 1
        )
    return _LISTING.page(
        entries, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )
