"""Who is calling the manager API, and may they do this?

A route says what it asks for by its dependency: `Access` for callers who prove who they are, `visiting`
for everybody, and `only_in` where an address exists in some modes of signing in only.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from secrets import compare_digest
from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request

from billwright.features.identity.errors import session_missing
from billwright.features.identity.model import Role, Session, User
from billwright.features.identity.operations.sync_oidc_user import sync_oidc_user
from billwright.features.identity.port import Vouched
from billwright.features.identity.rules.session_rights import check_role, check_scope
from billwright.kernel.actor import Actor, ActorKind, system_actor
from billwright.kernel.ids import TenantId
from billwright.runtime.db.tx import Tx
from billwright.runtime.settings import Settings
from billwright.runtime.settings_sign_in import AuthenticationMethod
from billwright.surfaces.manager_api.errors import (
    static_key_malformed,
    static_key_missing,
    static_key_wrong,
    tenant_denied,
    tenant_not_served,
    user_needed,
)
from billwright.surfaces.manager_api.languages import preferred_locale
from billwright.surfaces.manager_api.tenant import tenant_of
from billwright.surfaces.web.sessions import counted, session_behind
from billwright.surfaces.web.wiring import Wiring

_STATIC_KEY = Actor(ActorKind.API_KEY, "static key")
_STATIC_KEY_SCHEMES = ("Bearer", "ApiKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerCaller:
    """A request's caller, who may do what the route asks for, and what the route works with.

    The holder of the static key is an administrator and nobody in particular: there is no session.
    """

    tenant_id: TenantId
    actor: Actor
    role: Role
    session: Session | None
    locale: str
    wiring: Wiring
    cause: str

    @property
    def user(self) -> User | None:
        return None if self.session is None else self.session.user

    @property
    def signed_in(self) -> Session:
        """The session, where only somebody in particular can be meant. Refuses: `user_needed`."""
        if self.session is None:
            raise user_needed()
        return self.session

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction in the caller's name."""
        return self.wiring.database.tx(self.tenant_id, actor=self.actor, cause=self.cause)

    open_tx = tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A dependency: the caller of a route that asks for this.

    `scope` is what a session of a personal access token needs besides the `role`; without one, and where
    the route is `interactive`, none gets in. With `user_required` the static key does not get in.
    """

    scope: str | None = None
    role: Role = Role.USER
    interactive: bool = False
    user_required: bool = False

    async def __call__(self, request: Request) -> ManagerCaller:
        """Refuses: `static_key_missing`, `static_key_malformed`, `static_key_wrong`, `tenant_denied`,
        `user_needed` in one mode, and `session_missing`, `session_invalid`, `session_over`,
        `user_locked`, `role_missing`, `session_not_interactive`, `token_scope_missing` in the others.
        """
        settings: Settings = request.app.state.settings
        tenant_id = await _tenant_id(request)
        if settings.authentication_method == "api-key":
            wiring: Wiring = request.app.state.wiring
            with counted(wiring.metrics, method="api_key"):
                caller = _holder_of_static_key(request, settings, tenant_id=tenant_id)
            if self.user_required:
                raise user_needed()
            return caller
        session = await _session(request, tenant_id=tenant_id)
        check_role(session, role=self.role)
        check_scope(session, scope=None if self.interactive else self.scope)
        return ManagerCaller(
            tenant_id=tenant_id,
            actor=session.actor,
            role=session.user.role,
            session=session,
            locale=_locale(request),
            wiring=request.app.state.wiring,
            cause=_cause(request),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who need not prove who they are, and what a public route works with."""

    tenant_id: TenantId
    locale: str
    wiring: Wiring
    cause: str

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction in nobody's name."""
        return self.wiring.database.tx(
            self.tenant_id, actor=system_actor("visitor"), cause=self.cause
        )

    open_tx = tx


async def visiting(request: Request) -> Visitor:
    """A dependency: the caller of a public route."""
    return Visitor(
        tenant_id=await _tenant_id(request),
        locale=_locale(request),
        wiring=request.app.state.wiring,
        cause=_cause(request),
    )


@dataclass(frozen=True, slots=True)
class OnlyIn:
    """A dependency: in all other modes, nothing has the route's address."""

    methods: frozenset[AuthenticationMethod]

    async def __call__(self, request: Request) -> None:
        settings: Settings = request.app.state.settings
        if settings.authentication_method not in self.methods:
            _decline()


def only_in(*methods: AuthenticationMethod) -> OnlyIn:
    """`dependencies=[Depends(only_in("users"))]` of a router or a route."""
    return OnlyIn(frozenset(methods))


def _decline() -> NoReturn:
    raise HTTPException(404)


async def _tenant_id(request: Request) -> TenantId:
    """The tenant that the request names. One of TENANTS that nobody has created yet is unknown too.

    Refuses: `tenant_not_served`.
    """
    wiring: Wiring = request.app.state.wiring
    tenant_id = await wiring.database.tenant_by_code(tenant_of(request))
    if tenant_id is None:
        raise tenant_not_served()
    return tenant_id


def _holder_of_static_key(
    request: Request, settings: Settings, *, tenant_id: TenantId
) -> ManagerCaller:
    if settings.static_api_key is None:
        raise RuntimeError("the settings let nobody in by a key that they do not have")
    authorization = request.headers.get("authorization")
    if not authorization:
        raise static_key_missing()
    scheme, _, key = authorization.partition(" ")
    if scheme not in _STATIC_KEY_SCHEMES or not key or " " in key:
        raise static_key_malformed()
    if not compare_digest(key.encode(), settings.static_api_key.get_secret_value().encode()):
        raise static_key_wrong()
    if settings.static_api_key_tenant_id not in {None, tenant_of(request)}:
        raise tenant_denied()
    return ManagerCaller(
        tenant_id=tenant_id,
        actor=_STATIC_KEY,
        role=Role.ADMIN,
        session=None,
        locale=_locale(request),
        wiring=request.app.state.wiring,
        cause=_cause(request),
    )


async def _session(request: Request, *, tenant_id: TenantId) -> Session:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token or " " in token:
        raise session_missing()

    async def user_of(tx: Tx, vouched: Vouched) -> User:
        return await sync_oidc_user(
            tx,
            subject=vouched.subject,
            email=vouched.email,
            email_verified=vouched.email_verified,
            preferred_username=vouched.preferred_username,
            locale=_locale(request),
        )

    return await session_behind(
        token, wiring=request.app.state.wiring, tenant_id=tenant_id, user_of=user_of
    )


def _locale(request: Request) -> str:
    return preferred_locale(request.headers.get("accept-language"))


def _cause(request: Request) -> str:
    name: str = request.scope["route"].name
    return name
