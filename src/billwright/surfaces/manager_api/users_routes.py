"""How does an administrator keep the users of a tenant?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request

from billwright.features.identity import errors
from billwright.features.identity.model import Role
from billwright.features.identity.operations import create_user as creating
from billwright.features.identity.operations import update_user as updating
from billwright.features.identity.operations.delete_user import delete_user as deleting
from billwright.features.identity.operations.lock_user import lock_user as locking
from billwright.features.identity.operations.lock_user import unlock_user as unlocking
from billwright.features.identity.operations.revoke_token import revoke_token
from billwright.features.identity.sql import reads_users
from billwright.features.identity.sql.reads_sessions import tokens_of
from billwright.surfaces.manager_api import documented
from billwright.surfaces.manager_api.caller import Access, ManagerCaller, only_in
from billwright.surfaces.manager_api.languages import preferred_locale
from billwright.surfaces.manager_api.tokens_models import (
    PersonalAccessTokenResponseDto,
    token_response,
)
from billwright.surfaces.manager_api.users_models import (
    CreateUserDto,
    UpdateUserDto,
    UserResponse,
    user_response,
)

router = APIRouter(
    prefix="/users", tags=["Users"], dependencies=[Depends(only_in("users", "keycloak"))]
)

Admin = Annotated[ManagerCaller, Depends(Access(scope="users:admin", role=Role.ADMIN))]
AdminInPerson = Annotated[ManagerCaller, Depends(Access(role=Role.ADMIN, interactive=True))]
UserId = Annotated[UUID, Path(alias="id")]
OwnerId = Annotated[UUID, Path(alias="userId")]
TokenId = Annotated[UUID, Path(alias="tokenId")]

_MOST_LISTED = 100
_LAST_OFFSET = 2**31 - 1


@router.get(
    "",
    operation_id="listUsers",
    summary="List users",
    response_model_exclude_unset=True,
    responses=documented.of_admins(),
)
async def list_users(
    admin: Admin,
    limit: Annotated[
        int, Query(ge=0, description="How many; more than 100 are never listed at once.")
    ] = 10,
    offset: Annotated[int, Query(ge=0, description="How many to pass over.")] = 0,
) -> list[UserResponse]:
    """Newest first."""
    async with admin.tx() as tx:
        users = await reads_users.list_users(
            tx, limit=min(limit, _MOST_LISTED), offset=min(offset, _LAST_OFFSET)
        )
    return [user_response(user) for user in users]


@router.post(
    "",
    operation_id="createUser",
    summary="Create a user",
    status_code=201,
    response_model_exclude_unset=True,
    responses=documented.of_admins(
        errors.email_malformed,
        errors.email_taken,
        errors.password_too_short,
        errors.password_too_long,
    ),
)
async def create_user(admin: Admin, request: Request, body: CreateUserDto) -> UserResponse:
    """The user confirms the address by the code that is mailed to it, in the language that the request
    prefers. The first user of a tenant is its administrator at once.
    """
    user = await creating.create_user(
        admin.open_tx,
        email=body.email,
        password=body.password,
        role=body.role,
        locale=preferred_locale(request.headers.get("accept-language")),
    )
    return user_response(user)


@router.get(
    "/{id}",
    operation_id="getUser",
    summary="Get a user",
    response_model_exclude_unset=True,
    responses=documented.of_admins(errors.user_unknown),
)
async def get_user(admin: Admin, user_id: UserId) -> UserResponse:
    async with admin.tx() as tx:
        return user_response(await reads_users.user_by_id(tx, user_id))


@router.post(
    "/{id}",
    operation_id="updateUser",
    summary="Change a user",
    response_model_exclude_unset=True,
    responses=documented.of_admins(
        errors.user_unknown,
        errors.email_malformed,
        errors.email_taken,
        errors.password_too_short,
        errors.password_too_long,
        errors.last_admin,
    ),
)
async def update_user(admin: Admin, user_id: UserId, body: UpdateUserDto) -> UserResponse:
    """Another address counts as unconfirmed and is mailed a code, and the former one is told. Another
    password or role ends every session of the user.
    """
    user = await updating.update_user(
        admin.open_tx, user_id, email=body.email, password=body.password, role=body.role
    )
    return user_response(user)


@router.post(
    "/{id}/lock",
    operation_id="lockUser",
    summary="Lock a user",
    status_code=201,
    response_model_exclude_unset=True,
    responses=documented.of_admins(errors.user_unknown, errors.own_user_locked, errors.last_admin),
)
async def lock_user(admin: Admin, user_id: UserId) -> UserResponse:
    """Nothing opens for them until they are unlocked; their sessions go on then."""
    async with admin.tx() as tx:
        return user_response(await locking(tx, user_id))


@router.post(
    "/{id}/unlock",
    operation_id="unlockUser",
    summary="Unlock a user",
    status_code=201,
    response_model_exclude_unset=True,
    responses=documented.of_admins(errors.user_unknown, errors.own_user_locked),
)
async def unlock_user(admin: Admin, user_id: UserId) -> UserResponse:
    async with admin.tx() as tx:
        return user_response(await unlocking(tx, user_id))


@router.delete(
    "/{id}",
    operation_id="deleteUser",
    summary="Delete a user",
    status_code=204,
    responses=documented.of_admins(errors.user_unknown, errors.last_admin),
)
async def delete_user(admin: Admin, user_id: UserId) -> None:
    """With everything that opens something in their name."""
    async with admin.tx() as tx:
        await deleting(tx, user_id)


@router.get(
    "/{userId}/tokens",
    operation_id="listUserPersonalAccessTokens",
    summary="List the tokens of a user",
    response_model_exclude_unset=True,
    responses=documented.of_admins(errors.user_unknown),
)
async def list_user_tokens(
    admin: AdminInPerson, user_id: OwnerId
) -> list[PersonalAccessTokenResponseDto]:
    """Newest first, those that open nothing any more included."""
    async with admin.tx() as tx:
        user = await reads_users.user_by_id(tx, user_id)
        return [token_response(one) for one in await tokens_of(tx, user.id, revoked_too=True)]


@router.delete(
    "/{userId}/tokens/{tokenId}",
    operation_id="revokeUserPersonalAccessToken",
    summary="Revoke a token of a user",
    status_code=204,
    responses=documented.of_admins(errors.token_unknown),
)
async def revoke_user_token(admin: AdminInPerson, user_id: OwnerId, token_id: TokenId) -> None:
    """For good, and with the sessions that it was exchanged for; a second time changes nothing."""
    async with admin.tx() as tx:
        await revoke_token(tx, user_id=user_id, token_id=token_id)
