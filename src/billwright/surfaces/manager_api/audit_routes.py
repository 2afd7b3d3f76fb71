"""How does an administrator find out who did what?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import StreamingResponse

from billwright.features.audit.model import AuditQuery, AuditRecord
from billwright.features.audit.operations.export_audit_log import export_audit_log
from billwright.features.audit.sql.reads import list_entries
from billwright.features.identity.model import Role
from billwright.surfaces.manager_api import documented
from billwright.surfaces.manager_api.audit_export import ExportFormat
from billwright.surfaces.manager_api.audit_models import AuditLogResponse, audit_entry_response
from billwright.surfaces.manager_api.caller import Access, ManagerCaller
from billwright.surfaces.manager_api.fields import MomentInput
from billwright.surfaces.web.errors import cursor_invalid
from billwright.surfaces.web.pages import Listing, PageParameters
from billwright.surfaces.web.wire import Code

router = APIRouter(prefix="/admin/audit-log", tags=["Audit"])

_LISTING = Listing("audit_log", tuple[UUID])

Auditor = Annotated[ManagerCaller, Depends(Access(scope="billing_admin:read", role=Role.ADMIN))]


def _asked_for(
    *,
    action: Annotated[
        Code | None,
        Query(description="This action, or with a dot at its end all that begin like it: `user.`."),
    ] = None,
    actor_id: Annotated[
        UUID | None,
        Query(
            alias="actorId",
            description="Only what this user, in person or by any token, or this API key did.",
        ),
    ] = None,
    subject_id: Annotated[
        UUID | None, Query(alias="subjectId", description="Only what was done to this.")
    ] = None,
    correlation_id: Annotated[
        str | None,
        Query(
            alias="correlationId",
            pattern=r"^[\x20-\x7e]{1,128}$",
            description="Only what this request did.",
        ),
    ] = None,
    since: Annotated[
        MomentInput | None,
        Query(alias="from", description="Only what was recorded at or after this moment."),
    ] = None,
    until: Annotated[
        MomentInput | None, Query(description="Only what was recorded before this moment.")
    ] = None,
) -> AuditQuery:
    return AuditQuery(
        action=action,
        actor_id=actor_id,
        subject_id=subject_id,
        request_id=correlation_id,
        since=since,
        until=until,
    )


AskedFor = Annotated[AuditQuery, Depends(_asked_for)]


@router.get(
    "",
    operation_id="listAuditLog",
    summary="Read the audit log",
    responses=documented.of_admins(cursor_invalid),
)
async def list_audit_log(
    auditor: Auditor, query: AskedFor, page: PageParameters
) -> AuditLogResponse:
    """Newest first."""
    filters = {"query": query}
    after = _LISTING.after(page, filters=filters)
    async with auditor.tx() as tx:
        entries = await list_entries(
            tx, query, before=after[0] if after else None, limit=page.limit + 1
        )
    shown = _LISTING.page(
        entries,
        page,
        filters=filters,
        key=lambda entry: (entry.id,),
        to_response=audit_entry_response,
    )
    return AuditLogResponse(items=shown.data, next_cursor=shown.next_cursor)


@router.get(
    "/export",
    operation_id="exportAuditLog",
    summary="Take the audit log as a file",
    response_class=StreamingResponse,
    responses={
        **documented.of_admins(),
        200: {
            "description": "The entries, newest first.",
            "content": {"text/csv": {}, "application/x-ndjson": {}},
        },
    },
)
async def export_audit_log_as_file(
    auditor: Auditor,
    query: AskedFor,
    form: Annotated[
        ExportFormat,
        Query(
            alias="format", description="A table for spreadsheets, or a JSON object in each line."
        ),
    ] = ExportFormat.CSV,
) -> StreamingResponse:
    """All entries that are asked for. That they were taken is itself an entry."""
    batches = await export_audit_log(auditor.open_tx, query)
    return StreamingResponse(
        _written(batches, form),
        media_type=form.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="audit-log.{form}"',
            "Cache-Control": "no-store",
        },
    )


async def _written(
    batches: AsyncIterator[list[AuditRecord]], form: ExportFormat
) -> AsyncIterator[bytes]:
    yield form.beginning
    async for entries in batches:
        yield form.written(entries)
