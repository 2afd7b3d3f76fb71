"""How does somebody register, sign in, keep their password and sign out?

These addresses exist where people sign in with passwords that are kept here.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request

from billwright.features.identity import errors
from billwright.features.identity.model import SignInMethod, User
from billwright.features.identity.operations.change_password import change_password as changing
from billwright.features.identity.operations.confirm_email import confirm_email as confirming
from billwright.features.identity.operations.end_session import end_all_sessions, end_session
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.operations.register_user import register_user
from billwright.features.identity.operations.request_password_reset import (
    request_password_reset as requesting,
)
from billwright.features.identity.operations.reset_password import reset_password as resetting
from billwright.features.identity.operations.sign_in import sign_in
from billwright.runtime.settings import Settings
from billwright.surfaces.manager_api import documented
from billwright.surfaces.manager_api.auth_models import (
    ChangePasswordDto,
    ChangePasswordResponse,
    ConfirmEmailDto,
    LoginDto,
    LoginResponse,
    LogoutDto,
    MessageResponse,
    RegisterDto,
    RegisterResponse,
    RequestPasswordResetDto,
    ResetPasswordDto,
)
from billwright.surfaces.manager_api.caller import (
    Access,
    ManagerCaller,
    Visitor,
    only_in,
    visiting,
)
from billwright.surfaces.manager_api.errors import passwords_differ
from billwright.surfaces.manager_api.never_kept import never_kept
from billwright.surfaces.manager_api.rate_limit import limit_attempts
from billwright.surfaces.manager_api.users_models import signed_in_user
from billwright.surfaces.web.sessions import counted
from billwright.surfaces.web.wiring import Wiring

router = APIRouter(
    prefix="/auth", tags=["Authentication"], dependencies=[Depends(only_in("users"))]
)

Visiting = Annotated[Visitor, Depends(visiting)]
Person = Annotated[ManagerCaller, Depends(Access(interactive=True))]
_PUBLIC: dict[str, Any] = {"security": []}


@router.post(
    "/login",
    operation_id="login",
    summary="Sign in",
    openapi_extra=_PUBLIC,
    dependencies=[Depends(never_kept)],
    response_model_exclude_unset=True,
    responses=documented.of_anybody(
        errors.sign_in_failed, errors.user_locked, errors.email_not_confirmed
    ),
)
async def login(visitor: Visiting, request: Request, body: LoginDto) -> LoginResponse:
    """The session lasts for 7 days, unless it is ended before. That the address is not confirmed or the
    user locked, only those are told who know the password.
    """
    await limit_attempts(request, about=body.email)
    with counted(visitor.wiring.metrics, method="password"):
        user = await sign_in(visitor.open_tx, email=body.email, password=body.password)
    return LoginResponse(access_token=_session(visitor.wiring, user), user=signed_in_user(user))


@router.post(
    "/register",
    operation_id="register",
    summary="Register",
    status_code=201,
    openapi_extra=_PUBLIC,
    response_model_exclude_unset=True,
    responses=documented.of_anybody(
        errors.email_malformed,
        errors.password_too_short,
        errors.password_too_long,
        errors.signup_disabled,
    ),
)
async def register(visitor: Visiting, request: Request, body: RegisterDto) -> RegisterResponse:
    """The first user of a tenant is its administrator at once; everybody else confirms the address by
    the code that is mailed to it. Who registers again is answered alike, so that nobody learns by this
    who is registered: the owner of the address is told by mail.
    """
    settings: Settings = request.app.state.settings
    if settings.disable_signup:
        raise errors.signup_disabled()
    await limit_attempts(request, about=body.email)
    registered = await register_user(
        visitor.open_tx, email=body.email, password=body.password, locale=visitor.locale
    )
    message = (
        "You can sign in now."
        if registered.email_confirmed
        else "Please confirm your e-mail address by the code that was sent to it."
    )
    return RegisterResponse(
        user=signed_in_user(registered.user),
        message=message,
        email_confirmed=registered.email_confirmed,
    )


@router.post(
    "/confirm-email",
    operation_id="confirmEmail",
    summary="Confirm an e-mail address",
    openapi_extra=_PUBLIC,
    responses=documented.of_anybody(errors.code_invalid),
)
async def confirm_email(
    visitor: Visiting, request: Request, body: ConfirmEmailDto
) -> MessageResponse:
    """A code works once, and is given up after five wrong ones."""
    await limit_attempts(request, about=body.email)
    box = visitor.wiring.secret_box
    await confirming(visitor.open_tx, box, email=body.email, code=body.code)
    return MessageResponse(message="Your e-mail address is confirmed. You can sign in now.")


@router.post(
    "/request-password-reset",
    operation_id="requestPasswordReset",
    summary="Ask for a code to set a password anew",
    openapi_extra=_PUBLIC,
    responses=documented.of_anybody(),
)
async def request_password_reset(
    visitor: Visiting, request: Request, body: RequestPasswordResetDto
) -> MessageResponse:
    """The answer is the same whether or not there is such a user."""
    await limit_attempts(request, about=body.email)
    async with visitor.tx() as tx:
        await requesting(tx, email=body.email)
    return MessageResponse(
        message="If somebody signs in with this e-mail address, a code was sent to it."
    )


@router.post(
    "/reset-password",
    operation_id="resetPassword",
    summary="Set a password anew by a code",
    openapi_extra=_PUBLIC,
    responses=documented.of_anybody(
        errors.code_invalid, errors.password_too_short, errors.password_too_long
    ),
)
async def reset_password(
    visitor: Visiting, request: Request, body: ResetPasswordDto
) -> MessageResponse:
    """Ends every session of the user. A code works once and for an hour, and is given up after five
    wrong ones.
    """
    await limit_attempts(request, about=body.email)
    box = visitor.wiring.secret_box
    await resetting(
        visitor.open_tx, box, email=body.email, code=body.code, password=body.new_password
    )
    return MessageResponse(message="Your password is changed. You can sign in with it now.")


@router.post(
    "/change-password",
    operation_id="changePassword",
    summary="Change one's password",
    dependencies=[Depends(never_kept)],
    responses=documented.of_signed_in(
        passwords_differ,
        errors.password_wrong,
        errors.password_absent,
        errors.password_too_short,
        errors.password_too_long,
    ),
)
async def change_password(
    person: Person, request: Request, body: ChangePasswordDto
) -> ChangePasswordResponse:
    """Ends every session of the user; the answer begins another one."""
    user_id = person.signed_in.user.id
    await limit_attempts(request, about=str(user_id))
    if body.new_password != body.new_password_confirmation:
        raise passwords_differ()
    user = await changing(
        person.open_tx, user_id, current=body.current_password, new=body.new_password
    )
    return ChangePasswordResponse(
        message="Your password is changed.", access_token=_session(person.wiring, user)
    )


@router.post(
    "/logout",
    operation_id="logout",
    summary="Sign out",
    status_code=204,
    responses=documented.of_signed_in(),
)
async def logout(person: Person, body: LogoutDto | None = None) -> None:
    """Ends this session, or every session of the user."""
    session = person.signed_in
    async with person.tx() as tx:
        if body is not None and body.invalidate_all_sessions:
            await end_all_sessions(tx, session.user.id)
        else:
            await end_session(tx, session)


def _session(wiring: Wiring, user: User) -> str:
    return issue_session(
        wiring.keys, user, method=SignInMethod.PASSWORD, now=wiring.database.clock.now()
    )
