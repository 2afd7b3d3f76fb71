"""How does a platform hand out keys of its own, each for what its holder needs?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.identity import model
from billwright.features.identity.errors import (
    api_key_expires_in_past,
    api_key_unknown,
    scope_not_held,
    scope_unknown,
)
from billwright.features.identity.operations import create_api_key as creating
from billwright.features.identity.operations import rename_api_key as renaming
from billwright.features.identity.operations import revoke_api_key as revoking
from billwright.features.identity.rules.scopes import check_given
from billwright.features.identity.sql import reads
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.api_keys_models import (
    ApiKey,
    ApiKeyInput,
    ApiKeyUpdateInput,
    ApiKeyWithText,
    to_response,
    with_text,
)
from billwright.surfaces.platform_api.caller import Authorized, Reader, Writer
from billwright.surfaces.web.idempotency import Idempotent, as_it_stands, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import ResponseModel

router = APIRouter(prefix="/api-keys", tags=["api keys"])

_LISTING = Listing("api_keys", tuple[UUID])


class _Sealed(ResponseModel):
    """What is kept for a repetition: which key it was, and its text, which nobody can read there."""

    id: UUID
    text: str


@router.post(
    "",
    status_code=201,
    response_model=ApiKeyWithText,
    summary="Create an API key",
    responses=refusals.of_writing(scope_unknown, scope_not_held, api_key_expires_in_past),
)
async def create_api_key(writer: Writer, body: ApiKeyInput, idempotent: Idempotent) -> Response:
    """Its text is in this answer and in no other. It may have at most the scopes of the key that creates
    it.
    """
    box = writer.wiring.secret_box

    async def create(tx: Tx) -> _Sealed:
        key = await creating.create_api_key(
            tx, name=body.name, scopes=body.scopes, expires_at=body.expires_at
        )
        context = _context(writer, key.id)
        return _Sealed(id=key.id, text=box.seal(key.text.encode(), context=context))

    answer = await once(writer.tx(), idempotent, work=create)
    sealed = _Sealed.model_validate_json(bytes(answer.body))
    async with writer.tx() as tx:
        key = await reads.api_key_by_id(tx, sealed.id)
        # Another key may repeat the request, and learns no key that it could not have created.
        check_given(key.scopes, held=writer.caller.scopes)
        text = box.open(sealed.text, context=_context(writer, key.id)).decode()
        return as_it_stands(answer, with_text(key, text, now=tx.now))


@router.get("", summary="List API keys", responses=refusals.of_listing())
async def list_api_keys(
    reader: Reader, page: PageParameters, status: model.ApiKeyStatus | None = None
) -> Page[ApiKey]:
    """Newest first, those that open nothing any more included."""
    filters = {"status": status}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        now = tx.now
        keys = await reads.list_api_keys(
            tx, before=after[0] if after else None, limit=page.limit + 1, status=status
        )
    return _LISTING.page(
        keys,
        page,
        filters=filters,
        key=lambda one: (one.id,),
        to_response=lambda one: to_response(one, now=now),
    )


@router.get(
    "/{api_key_id}", summary="Get an API key", responses=refusals.of_reading(api_key_unknown)
)
async def get_api_key(reader: Reader, api_key_id: UUID) -> ApiKey:
    async with reader.tx() as tx:
        return to_response(await reads.api_key_by_id(tx, api_key_id), now=tx.now)


@router.patch(
    "/{api_key_id}",
    response_model=ApiKey,
    summary="Rename an API key",
    responses=refusals.of_writing(api_key_unknown),
)
async def update_api_key(
    writer: Writer, api_key_id: UUID, body: ApiKeyUpdateInput, idempotent: Idempotent
) -> Response:
    """What a key opens, and until when, never changes: create another one for that."""

    async def rename(tx: Tx) -> ApiKey:
        key = await renaming.rename_api_key(tx, api_key_id, name=body.name)
        return to_response(key, now=tx.now)

    return await once(writer.tx(), idempotent, work=rename)


@router.post(
    "/{api_key_id}/revoke",
    response_model=ApiKey,
    summary="Revoke an API key",
    responses=refusals.of_writing(api_key_unknown),
)
async def revoke_api_key(writer: Writer, api_key_id: UUID, idempotent: Idempotent) -> Response:
    """For good, whatever its scopes are; it works for one second more at most. A second time changes
    nothing.
    """

    async def revoke(tx: Tx) -> ApiKey:
        return to_response(await revoking.revoke_api_key(tx, api_key_id), now=tx.now)

    return await once(writer.tx(), idempotent, work=revoke)


def _context(writer: Authorized, key_id: UUID) -> str:
    return f"idempotency_key.response_body:{writer.caller.tenant_id}:{key_id}"
