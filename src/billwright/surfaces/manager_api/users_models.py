"""What do users look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from billwright.features.identity import model
from billwright.surfaces.manager_api.fields import (
    CamelRequest,
    CamelResponse,
    Email,
    Moment,
    NewPassword,
    RoleInput,
)

_CREATE: JsonDict = {
    "email": "ada@northlight.example",
    "password": "correct horse battery",
    "role": "user",
}


class CreateUserDto(CamelRequest):
    """Somebody who is to sign in."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CREATE]})

    email: Email
    password: NewPassword
    role: Annotated[
        RoleInput | None,
        Field(description="Without one: `user`, or `admin` for the tenant's first user."),
    ] = None


class UpdateUserDto(CamelRequest):
    """What changes about a user; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "admin"}]})

    email: Annotated[
        Email | None,
        Field(description="Another address counts as unconfirmed, and is mailed a code."),
    ] = None
    password: Annotated[
        NewPassword | None, Field(description="Another password ends every session of the user.")
    ] = None
    role: Annotated[
        RoleInput | None, Field(description="Another role ends every session of the user.")
    ] = None


class UserResponse(CamelResponse):
    """A user. Answers to signing in have `id`, `email` and `role` alone."""

    id: Annotated[UUID, Field(description="Stays what it is, also when the address changes.")]
    email: Annotated[
        str, Field(json_schema_extra={"format": "email"}, description="In small letters.")
    ]
    role: Annotated[model.Role, Field(description="`controller` may no more than `user`.")]
    email_confirmed_at: Annotated[
        Moment | SkipJsonSchema[None],
        Field(description="Absent while the address is not confirmed."),
    ] = None
    locked_at: Annotated[
        Moment | None,
        Field(description="Since when nothing opens for them; null while they are not locked."),
    ] = None
    created_at: Annotated[
        Moment | SkipJsonSchema[None], Field(description="Since when there is the user.")
    ] = None
    updated_at: Annotated[
        Moment | SkipJsonSchema[None], Field(description="When anything of this last changed.")
    ] = None


def user_response(user: model.User) -> UserResponse:
    """The user as such; what is not confirmed has no `emailConfirmedAt`."""
    confirmed = (
        {} if user.email_confirmed_at is None else {"email_confirmed_at": user.email_confirmed_at}
    )
    return UserResponse(
        id=user.id,
        email=user.email,
        role=user.role,
        **confirmed,
        locked_at=user.locked_at,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def signed_in_user(user: model.User) -> UserResponse:
    """What an answer to signing in says of the user."""
    return UserResponse(id=user.id, email=user.email, role=user.role)
