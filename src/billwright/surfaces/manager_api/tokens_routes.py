"""How do a user's programs sign in, each for what it needs?"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from starlette.responses import Response

from billwright.features.identity import errors
from billwright.features.identity.operations.change_token import change_token
from billwright.features.identity.operations.create_token import create_token
from billwright.features.identity.operations.exchange_token import exchange_token
from billwright.features.identity.operations.revoke_token import revoke_token
from billwright.features.identity.rules.token_scopes import grantable_by
from billwright.features.identity.sql.reads_sessions import token_by_id, tokens_of
from billwright.runtime.db.tx import Tx
from billwright.surfaces.manager_api import documented
from billwright.surfaces.manager_api.auth_models import LoginResponse
from billwright.surfaces.manager_api.caller import (
    Access,
    ManagerCaller,
    Visitor,
    only_in,
    visiting,
)
from billwright.surfaces.manager_api.never_kept import NEVER_KEPT, never_kept
from billwright.surfaces.manager_api.tokens_models import (
    CreatePersonalAccessTokenDto,
    ExchangePersonalAccessTokenDto,
    PersonalAccessTokenResponseDto,
    PersonalAccessTokenScopeDto,
    UpdatePersonalAccessTokenDto,
    token_response,
)
from billwright.surfaces.manager_api.users_models import signed_in_user
from billwright.surfaces.web.idempotency import (
    Idempotent,
    IdempotentRequest,
    as_it_stands,
    once,
)
from billwright.surfaces.web.sessions import counted

router = APIRouter(
    prefix="/auth",
    tags=["Personal access tokens"],
    dependencies=[Depends(only_in("users", "keycloak"))],
)

Person = Annotated[ManagerCaller, Depends(Access(interactive=True))]
Visiting = Annotated[Visitor, Depends(visiting)]
TokenId = Annotated[UUID, Path(alias="id")]


class _Sealed(BaseModel):
    """What is kept for a repetition: which token it was, and its text, which nobody can read there."""

    id: UUID
    text: str


@router.post(
    "/token",
    operation_id="exchangePersonalAccessToken",
    summary="Sign in with a token",
    openapi_extra={"security": []},
    dependencies=[Depends(never_kept)],
    response_model_exclude_unset=True,
    responses=documented.of_anybody(errors.token_invalid),
)
async def exchange_personal_access_token(
    visitor: Visiting, body: ExchangePersonalAccessTokenDto
) -> LoginResponse:
    """The session opens what of the token's scopes its user may still give. It ends when the token is
    revoked or expires, or when what it opens changes: exchange the token again then.
    """
    wiring = visitor.wiring
    with counted(wiring.metrics, method="token"):
        exchanged = await exchange_token(visitor.open_tx, body.token, keys=wiring.keys)
    return LoginResponse(
        access_token=exchanged.access_token,
        user=signed_in_user(exchanged.user),
        scopes=list(exchanged.scopes),
    )


@router.get(
    "/token-scopes",
    operation_id="listPersonalAccessTokenScopes",
    summary="List the scopes that one may give",
    responses=documented.of_signed_in(),
)
async def list_personal_access_token_scopes(person: Person) -> list[PersonalAccessTokenScopeDto]:
    """Administrators may give all, everybody else those that are about what is their own."""
    return [
        PersonalAccessTokenScopeDto(scope=scope)
        for scope in grantable_by(person.signed_in.user.role)
    ]


@router.get(
    "/tokens",
    operation_id="listPersonalAccessTokens",
    summary="List one's tokens",
    response_model_exclude_unset=True,
    responses=documented.of_signed_in(),
)
async def list_personal_access_tokens(person: Person) -> list[PersonalAccessTokenResponseDto]:
    """Newest first; expired ones are included, revoked ones are not."""
    async with person.tx() as tx:
        tokens = await tokens_of(tx, person.signed_in.user.id, revoked_too=False)
        return [token_response(token) for token in tokens]


@router.post(
    "/tokens",
    operation_id="createPersonalAccessToken",
    summary="Create a token",
    status_code=201,
    response_model=PersonalAccessTokenResponseDto,
    responses=documented.of_signed_in_repeating(
        errors.token_scope_unknown,
        errors.token_scope_not_grantable,
        errors.token_expires_in_past,
        errors.token_without_sign_in,
    ),
)
async def create_personal_access_token(
    person: Person, body: CreatePersonalAccessTokenDto, idempotent: Idempotent
) -> Response:
    """Its text is in this answer and in no other."""
    session, box = person.signed_in, person.wiring.secret_box

    async def create(tx: Tx) -> _Sealed:
        created = await create_token(
            tx, session, name=body.name, scopes=body.scopes, expires_at=body.expires_at
        )
        context = _context(person, created.token.id)
        return _Sealed(id=created.token.id, text=box.seal(created.text.encode(), context=context))

    answer = await once(person.tx(), _of_user(idempotent, session.user.id), work=create)
    sealed = _Sealed.model_validate_json(bytes(answer.body))
    async with person.tx() as tx:
        token = await token_by_id(tx, sealed.id, user_id=session.user.id)
    text = box.open(sealed.text, context=_context(person, token.id)).decode()
    answer = as_it_stands(answer, token_response(token, text=text))
    answer.headers.update(NEVER_KEPT)
    return answer


@router.patch(
    "/tokens/{id}",
    operation_id="updatePersonalAccessToken",
    summary="Change a token",
    response_model_exclude_unset=True,
    responses=documented.of_signed_in(
        errors.token_unknown, errors.token_scope_unknown, errors.token_scope_not_grantable
    ),
)
async def update_personal_access_token(
    person: Person, token_id: TokenId, body: UpdatePersonalAccessTokenDto
) -> PersonalAccessTokenResponseDto:
    """With other scopes, the sessions that it was exchanged for are over. Its text stays."""
    async with person.tx() as tx:
        token = await change_token(
            tx, token_id, session=person.signed_in, name=body.name, scopes=body.scopes
        )
    return token_response(token)


@router.delete(
    "/tokens/{id}",
    operation_id="revokePersonalAccessToken",
    summary="Revoke a token",
    status_code=204,
    responses=documented.of_signed_in(errors.token_unknown),
)
async def revoke_personal_access_token(person: Person, token_id: TokenId) -> None:
    """For good, and with the sessions that it was exchanged for; a second time changes nothing."""
    async with person.tx() as tx:
        await revoke_token(tx, user_id=person.signed_in.user.id, token_id=token_id)


def _of_user(request: IdempotentRequest, user_id: UUID) -> IdempotentRequest:
    """The users of a tenant choose their keys without knowing of each other."""
    named = request.named
    key = None if named.key is None else f"{user_id} {named.key}"
    return replace(request, named=replace(named, key=key))


def _context(person: ManagerCaller, token_id: UUID) -> str:
    return f"idempotency_key.response_body:{person.tenant_id}:{token_id}"
