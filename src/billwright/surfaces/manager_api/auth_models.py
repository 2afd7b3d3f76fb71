"""What do signing in, registering and passwords look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from billwright.surfaces.manager_api.fields import (
    CamelRequest,
    CamelResponse,
    Email,
    MailedCode,
    NewPassword,
    Password,
)
from billwright.surfaces.manager_api.users_models import UserResponse

_EMAIL = "ada@northlight.example"
_CREDENTIALS: JsonDict = {"email": _EMAIL, "password": "correct horse battery"}
_CODE: JsonDict = {"email": _EMAIL, "code": "7Q2MXA"}
_RESET: JsonDict = {**_CODE, "newPassword": "a whole new sentence"}
_CHANGE: JsonDict = {
    "currentPassword": "correct horse battery",
    "newPassword": "a whole new sentence",
    "newPasswordConfirmation": "a whole new sentence",
}

AccessToken = Annotated[
    str,
    Field(
        alias="access_token",
        description="To be sent as `Authorization: Bearer ...`, for 7 days.",
        examples=["eyJhbGciOiJIUzI1NiJ9…"],
    ),
]


class LoginDto(CamelRequest):
    """Who is signing in."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CREDENTIALS]})

    email: Email
    password: Password


class RegisterDto(CamelRequest):
    """Who wants to be able to sign in."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CREDENTIALS]})

    email: Email
    password: NewPassword


class ConfirmEmailDto(CamelRequest):
    """The proof that the address is the user's own."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CODE]})

    email: Email
    code: MailedCode


class RequestPasswordResetDto(CamelRequest):
    """Whose password is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": _EMAIL}]})

    email: Email


class ResetPasswordDto(CamelRequest):
    """Another password, and the proof that the address is the user's own."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RESET]})

    email: Email
    code: MailedCode
    new_password: NewPassword


class ChangePasswordDto(CamelRequest):
    """Another password, and the one that it replaces."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHANGE]})

    current_password: Password
    new_password: NewPassword
    new_password_confirmation: Annotated[
        NewPassword, Field(description="The new password once more.")
    ]


class LogoutDto(CamelRequest):
    """Which sessions end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"invalidateAllSessions": True}]})

    invalidate_all_sessions: Annotated[
        bool | None,
        Field(
            description="True: every session of the user, those of tokens too, and not only this."
        ),
    ] = None


class LoginResponse(CamelResponse):
    """A session has begun."""

    access_token: AccessToken
    user: Annotated[UserResponse, Field(description="Who signed in.")]
    scopes: Annotated[
        list[str],
        Field(
            default_factory=list, description="What the session opens, where it came of a token."
        ),
    ]


class RegisterResponse(CamelResponse):
    """Somebody can sign in, as soon as the address is confirmed."""

    user: Annotated[UserResponse, Field(description="Who has registered.")]
    message: Annotated[str, Field(description="For people.")]
    email_confirmed: Annotated[
        bool, Field(description="False: a code is on its way to the address.")
    ]


class MessageResponse(CamelResponse):
    """It is done."""

    message: Annotated[str, Field(description="For people.")]


class ChangePasswordResponse(CamelResponse):
    """The password is another; every session has ended but the one that begins with this."""

    message: Annotated[str, Field(description="For people.")]
    access_token: AccessToken
