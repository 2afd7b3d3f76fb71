"""Who is calling, and may they do this?

A route's tag is the group of scopes that opens it, and its parameter `Reader` or `Writer` says which of
them: with the tag `accounts` and a `writer: Writer` it needs `accounts:write`.

A caller whose key was just authenticated is remembered for a second, so that a burst of requests asks
the database once; a key that is revoked or expires is therefore worthless after one second at most.
Administrators who signed in are never remembered: a session that was ended is worthless at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, NamedTuple

from fastapi import Depends, Header
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute

from billwright.features.identity.errors import credential_missing, scope_missing
from billwright.features.identity.model import Caller, Group, Right
from billwright.features.identity.operations.authenticate import authenticate
from billwright.features.identity.rules.key_text import looks_like_key
from billwright.features.identity.rules.scopes import may, scope_for
from billwright.kernel.quick import quickly_made
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.runtime.telemetry.context import log_context
from billwright.surfaces.platform_api.administrators import administrator
from billwright.surfaces.platform_api.errors import tenant_mismatch
from billwright.surfaces.web.openapi import HotRoute
from billwright.surfaces.web.wiring import Wiring

_REMEMBERED_SECONDS = 1
_MOST_REMEMBERED = 4096


class Credentials(NamedTuple):
    """What a request says about its caller: the headers `Authorization` and `X-Tenant`."""

    authorization: str | None
    tenant: str | None


def credentials_of(request: Request) -> Credentials:
    """What a request to a hot route says about its caller."""
    authorization = tenant = None
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            authorization = authorization or value.decode("latin-1")
        elif name == b"x-tenant":
            tenant = tenant or value.decode("latin-1")
    return Credentials(authorization, tenant)


class KnownCallers:
    """The callers of the last second by what they sent; only what was accepted is remembered.

    Requests that arrive while the database is being asked about their caller wait for that answer.
    """

    def __init__(self) -> None:
        self._known: dict[Credentials, tuple[float, Caller]] = {}
        self._asking: dict[Credentials, asyncio.Task[Caller]] = {}

    def remembered(self, credentials: Credentials) -> Caller | None:
        """The caller behind the credentials, if it was accepted within the last second."""
        known = self._known.get(credentials)
        return known[1] if known is not None and monotonic() < known[0] else None

    async def of(self, credentials: Credentials, database: Database) -> Caller:
        """The caller behind the credentials.

        Refuses: `credential_missing`, `credential_invalid`, `tenant_mismatch`.
        """
        known = self.remembered(credentials)
        if known is not None:
            return known
        asking = self._asking.get(credentials)
        if asking is None:
            asking = asyncio.create_task(self._ask(credentials, database))
            self._asking[credentials] = asking
        # Whoever goes away does not take the answer from those who wait for it too.
        return await asyncio.shield(asking)

    async def _ask(self, credentials: Credentials, database: Database) -> Caller:
        asked_at = monotonic()
        try:
            caller = await _identify(credentials, database)
        finally:
            del self._asking[credentials]
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[credentials] = (asked_at + _REMEMBERED_SECONDS, caller)
        return caller


async def _identify(credentials: Credentials, database: Database) -> Caller:
    key = bearer_token(credentials.authorization)
    if key is None:
        raise credential_missing()
    caller = await authenticate(database, key)
    if credentials.tenant is not None and not await _names(
        credentials.tenant, caller=caller, database=database
    ):
        raise tenant_mismatch()
    return caller


def bearer_token(authorization: str | None) -> str | None:
    """What the header carries as a bearer's; none when it carries nothing of the kind."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _names(text: str, *, caller: Caller, database: Database) -> bool:
    if text.lower() == str(caller.tenant_id):
        return True
    return text.isprintable() and await database.tenant_by_code(text) == caller.tenant_id


@quickly_made
@dataclass(frozen=True, slots=True)
class Authorized:
    """A request's caller, who may do what the route asks for, and what the route works with."""

    caller: Caller
    wiring: Wiring
    cause: str

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction in the caller's name."""
        return self.wiring.database.tx(
            self.caller.tenant_id, actor=self.caller.actor, cause=self.cause
        )

    def rehearsal(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction in the caller's name of which nothing is kept."""
        return self.wiring.database.rehearsal(
            self.caller.tenant_id, actor=self.caller.actor, cause=self.cause
        )


async def authorize(request: Request, credentials: Credentials, *, scope: str) -> Authorized:
    """The caller of a request that needs `scope`; log lines name its tenant from here on.

    Refuses: `scope_missing`, and what `KnownCallers` and `administrator` refuse.
    """
    state = request.app.state
    wiring: Wiring = state.wiring
    known: KnownCallers = state.known_callers
    caller = known.remembered(credentials) or await _found(credentials, known=known, wiring=wiring)
    log_context.set({**log_context.get(), "tenant": caller.tenant_id})
    if not may(caller.scopes, scope):
        raise scope_missing(scope=scope)
    return Authorized(caller, wiring, request.scope["route"].name)


async def _found(credentials: Credentials, *, known: KnownCallers, wiring: Wiring) -> Caller:
    """The caller that is not remembered: the holder of a key, or where they may, who signed in."""
    if wiring.platform_users:
        token = bearer_token(credentials.authorization)
        if token is not None and not looks_like_key(token):
            return await administrator(token, tenant=credentials.tenant, wiring=wiring)
    return await known.of(credentials, wiring.database)


def _requiring(right: Right) -> Callable[..., Awaitable[Authorized]]:
    async def authorized(
        request: Request,
        x_tenant: Annotated[
            str | None,
            Header(
                description="The code or the id of the API key's own tenant. May be left out; "
                "another tenant's is refused, so that a mix-up of keys is noticed. For administrators "
                "who signed in it says where; without it, at the tenant `default`."
            ),
        ] = None,
    ) -> Authorized:
        credentials = Credentials(request.headers.get("authorization"), x_tenant)
        scope = scope_for(_group_of(request.scope["route"]), right)
        return await authorize(request, credentials, scope=scope)

    return authorized


def _group_of(route: APIRoute) -> Group:
    return Group(str(route.tags[0]).replace(" ", "_"))


_READING, _WRITING = _requiring(Right.READ), _requiring(Right.WRITE)
_RIGHT_BY = {_READING: Right.READ, _WRITING: Right.WRITE}

Reader = Annotated[Authorized, Depends(_READING)]
"""The route parameter of a caller that may read what the route's tag names."""

Writer = Annotated[Authorized, Depends(_WRITING)]
"""The route parameter of a caller that may change what the route's tag names."""


def scopes_of(routes: Iterable[BaseRoute]) -> dict[str, str]:
    """The scope that each operation needs, by the operation's name; those without need no key."""
    scopes = {}
    for route in routes:
        if isinstance(route, HotRoute) and route.operation.scope is not None:
            scopes[route.name] = route.operation.scope
        elif isinstance(route, APIRoute):
            for dependency in route.dependant.dependencies:
                if dependency.call in _RIGHT_BY:
                    right = _RIGHT_BY[dependency.call]
                    scopes[route.name] = scope_for(_group_of(route), right)
    return scopes
