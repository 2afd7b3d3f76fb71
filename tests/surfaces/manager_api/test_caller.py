"""Who gets in to the manager API, in each mode of signing in?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

from billwright.features.identity.model import Role, SignInMethod, User
from billwright.features.identity.operations.authenticate_session import authenticate_session
from billwright.features.identity.operations.create_token import create_token
from billwright.features.identity.operations.end_session import end_session
from billwright.features.identity.operations.exchange_token import exchange_token
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.port import IssuerUnavailable, TokenRefused, Vouched
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.manager_api.caller import (
    Access,
    ManagerCaller,
    Visitor,
    only_in,
    visiting,
)
from billwright.surfaces.manager_api.languages import preferred_locale
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant
from tests.features.identity.signing_in import KEYS, a_session, a_user

KEY = "a-static-key-of-more-than-32-characters"
API_KEY_MODE = {"STATIC_API_KEY": KEY}
KEYCLOAK = {
    "AUTHENTICATION_METHOD": "keycloak",
    "OIDC_ISSUER": "https://login.northlight.example",
    "KEYCLOAK_CLIENT_ID": "console",
}
MISSING = (401, "Missing or invalid authorization token")
INVALID = (401, "Invalid or expired token")
OVER = (401, "Session is no longer valid.")
LOCKED = (401, "This account is locked. Please contact an administrator.")
FORBIDDEN = (403, "Forbidden resource")


class Issuer:
    """Vouches for whom the token names: `subject`, or `subject/address`."""

    async def verify(self, token: str) -> Vouched:
        if token == "nonsense" or token.count(".") == 2:
            raise TokenRefused("no token of mine")
        if token == "later":
            raise IssuerUnavailable("away")
        subject, _, email = token.partition("/")
        return Vouched(
            subject=subject,
            email=email or None,
            email_verified=True,
            preferred_username=None,
            expires_at=datetime(2027, 1, 1, tzinfo=UTC),
        )


@asynccontextmanager
async def console(
    database: Database, home: Path, issuer: Issuer | None = None, **variables: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an installation with routes to come in by."""
    app = create_manager_api()
    app.state.settings = load_settings(
        {"BILLWRIGHT_HOME": str(home), "TENANTS": "other,planned", **variables}
    )
    app.state.wiring = Wiring(
        database=database,
        metrics=Metrics(),
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=discover(),
        secret_box=BOX,
        session_keys=KEYS,
        token_issuer=issuer,
    )
    _add_routes(app)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def _add_routes(app: FastAPI) -> None:
    @app.get("/anybody")
    async def anybody(caller: Annotated[ManagerCaller, Depends(Access())]) -> list[str]:
        return told(caller)

    @app.get("/scoped")
    async def scoped(
        caller: Annotated[ManagerCaller, Depends(Access(scope="invoices:read"))],
    ) -> list[str]:
        return told(caller)

    @app.get("/person")
    async def person(
        caller: Annotated[ManagerCaller, Depends(Access(scope="invoices:read", interactive=True))],
    ) -> list[str]:
        return told(caller)

    @app.get("/admin")
    async def admin(
        caller: Annotated[ManagerCaller, Depends(Access(scope="users:admin", role=Role.ADMIN))],
    ) -> list[str]:
        return told(caller)

    @app.get("/own")
    async def own(
        caller: Annotated[ManagerCaller, Depends(Access(user_required=True))],
    ) -> str:
        return caller.signed_in.user.email

    @app.post("/elsewhere", dependencies=[Depends(only_in("keycloak"))])
    async def elsewhere(body: dict[str, int]) -> None:
        """Where people sign in elsewhere."""

    @app.get("/visit")
    async def visit(visitor: Annotated[Visitor, Depends(visiting)]) -> list[str]:
        async with visitor.open_tx() as tx:
            return [str(visitor.tenant_id), visitor.locale, tx.actor.name, tx.cause]


def told(caller: ManagerCaller) -> list[str]:
    return [str(caller.tenant_id), caller.actor.kind, caller.actor.name, caller.role, caller.cause]


async def asked(
    client: httpx2.AsyncClient, path: str, token: str | None = None, **headers: str
) -> tuple[int, Any]:
    """The status and the message, or what was answered."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await client.get(path, headers=raw)
    body = answer.json()
    if answer.status_code == 200:
        return 200, body
    if answer.status_code == 401:
        assert body.keys() == {"statusCode", "message", "error"}
        assert (body["statusCode"], body["error"]) == (401, "Unauthorized")
    return answer.status_code, body["message"]


def session_of(user: User, tenant: Tenant) -> str:
    now = tenant.database.clock.now()
    return issue_session(KEYS, user, method=SignInMethod.PASSWORD, now=now)


async def token_session(tenant: Tenant, user: User, *scopes: str) -> str:
    """What a personal access token with these scopes was exchanged for."""
    session = await a_session(tenant, user)
    async with tenant.tx() as tx:
        created = await create_token(tx, session, name="Test", scopes=scopes, expires_at=None)
    return (await exchange_token(tenant.tx, created.text, keys=KEYS)).access_token


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer a b", "bearer a", "Basic YTpi", "Token a"],
)
async def test_without_a_token_nobody_gets_in(tenant, tmp_path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    async with console(tenant.database, tmp_path) as client:
        assert await asked(client, "/anybody", **headers) == MISSING


async def test_who_signed_in_is_the_one_that_the_database_knows(tenant, tmp_path):
    user = await a_user(tenant, role=Role.ADMIN)
    async with console(tenant.database, tmp_path) as client:
        token = session_of(user, tenant)
        assert await asked(client, "/admin", token) == (
            200,
            [str(tenant.id), "user", user.email, "admin", "admin"],
        )
        assert await asked(client, "/own", token) == (200, user.email)
        async with tenant.tx() as tx:
            await tx.execute("update app_user set role = 'controller'")
        assert await asked(client, "/admin", token) == FORBIDDEN
        assert (await asked(client, "/person", token))[0] == 200


async def test_an_end_counts_with_the_next_request(tenant, other_tenant, tmp_path, clock):
    user = await a_user(tenant)
    first, second = session_of(user, tenant), session_of(user, tenant)
    async with console(tenant.database, tmp_path) as client:
        assert (await asked(client, "/anybody", first))[0] == 200
        assert await asked(client, "/anybody", first, **{"X-Tenant": "other"}) == OVER
        async with tenant.tx() as tx:
            await end_session(tx, await authenticate_session(tx, first, keys=KEYS))
        assert await asked(client, "/anybody", first) == OVER
        assert (await asked(client, "/anybody", second))[0] == 200
        async with tenant.tx() as tx:
            await tx.execute("update app_user set locked_at = $1", tx.now)
        assert await asked(client, "/anybody", second) == LOCKED
        clock.move_to(clock.now() + timedelta(days=7))
        assert await asked(client, "/anybody", second) == INVALID


async def test_a_token_opens_what_names_one_of_its_scopes(tenant, tmp_path):
    admin = await a_user(tenant, role=Role.ADMIN)
    user = await a_user(tenant, "ben@northlight.example")
    reads = await token_session(tenant, user, "invoices:read")
    manages = await token_session(tenant, admin, "users:admin")
    async with console(tenant.database, tmp_path) as client:
        assert (await asked(client, "/scoped", reads))[0] == 200
        assert await asked(client, "/scoped", manages) == (
            403,
            "The token lacks the scope invoices:read.",
        )
        assert (await asked(client, "/admin", manages))[0] == 200
        assert await asked(client, "/admin", reads) == FORBIDDEN
        for path in ("/anybody", "/person"):
            for token in (reads, manages):
                status, message = await asked(client, path, token)
                assert (status, message) == (403, "This is not open to personal access tokens.")


@pytest.mark.parametrize("scheme", ["Bearer", "ApiKey"])
async def test_the_static_key_is_an_administrator_and_nobody(tenant, tmp_path, scheme):
    async with console(tenant.database, tmp_path, **API_KEY_MODE) as client:
        given = {"Authorization": f"{scheme} {KEY}"}
        for path in ("/anybody", "/scoped", "/person", "/admin"):
            status, caller = await asked(client, path, **given)
            assert (status, caller[:4]) == (200, [str(tenant.id), "api_key", "static key", "admin"])
        assert await asked(client, "/own", **given) == (400, "User not authenticated")
        assert (await asked(client, "/own"))[0] == 401


async def test_what_is_wrong_with_the_static_key_is_told_apart(tenant, tmp_path):
    async with console(tenant.database, tmp_path, **API_KEY_MODE) as client:
        answers = {
            header: await asked(client, "/anybody", Authorization=header)
            for header in ("", "Bearer", f"bearer {KEY}", f"apikey {KEY}", f"Basic {KEY}")
        }
        answers |= {
            header: await asked(client, "/anybody", Authorization=header)
            for header in (f"Bearer {KEY} x", f"Bearer  {KEY}", f"Bearer {KEY}x", "ApiKey é")
        }
        missing = await asked(client, "/anybody")
        signed_in = await asked(client, "/anybody", session_of(await a_user(tenant), tenant))
    assert {status for status, _ in answers.values()} == {401}
    wrong = answers.pop(f"Bearer {KEY}x")
    assert answers.pop("") == missing
    assert answers.pop("ApiKey é") == wrong == signed_in
    assert len({missing, wrong, *answers.values()}) == 3


async def test_the_static_key_may_be_one_tenants_own(tenant, other_tenant, tmp_path):
    bound = {**API_KEY_MODE, "STATIC_API_KEY_TENANT_ID": "other"}
    other = {"X-Tenant": "other"}
    async with console(tenant.database, tmp_path, **bound) as client:
        assert await asked(client, "/admin", KEY) == (403, "Access denied")
        assert (await asked(client, "/admin", "wrong"))[0] == 401
        assert (await asked(client, "/admin", KEY, **other))[1][0] == str(other_tenant.id)
    async with console(tenant.database, tmp_path, **API_KEY_MODE) as client:
        for headers, place in (({}, tenant), (other, other_tenant)):
            assert (await asked(client, "/admin", KEY, **headers))[1][0] == str(place.id)


async def test_a_tenant_that_nobody_has_created_is_unknown(tenant, tmp_path):
    async with console(tenant.database, tmp_path) as client:
        for path in ("/anybody", "/visit"):
            answer = await client.get(path, headers={"X-Tenant": "planned"})
            assert (answer.status_code, answer.json()) == (
                400,
                {"message": "Invalid or unknown tenant"},
            )


async def test_an_address_of_another_mode_does_not_exist(tenant, tmp_path):
    for variables in ({}, API_KEY_MODE):
        async with console(tenant.database, tmp_path, **variables) as client:
            answer = await client.post("/elsewhere", json={"wrong": "body"})
        assert answer.status_code == 404
        assert answer.json()["message"] == "Cannot POST /elsewhere"
    async with console(tenant.database, tmp_path, Issuer(), **KEYCLOAK) as client:
        assert (await client.post("/elsewhere", json={"right": 1})).status_code == 200


async def test_who_signs_in_elsewhere_is_a_user_here(tenant, other_tenant, tmp_path):
    async with console(tenant.database, tmp_path, Issuer(), **KEYCLOAK) as client:
        first = await asked(client, "/admin", "zoe/zoe@northlight.example")
        assert first[1][1:4] == ["user", "zoe@northlight.example", "admin"]
        assert await asked(client, "/admin", "ian/ian@northlight.example") == FORBIDDEN
        assert (await asked(client, "/person", "ian"))[0] == 200
        async with tenant.tx() as tx:
            await tx.execute(
                "update app_user set locked_at = $1 where oidc_subject = 'ian'", tx.now
            )
        assert await asked(client, "/anybody", "ian") == LOCKED
        assert await asked(client, "/anybody", "nonsense") == INVALID
        assert (await asked(client, "/anybody", "later"))[0] == 503
        assert await asked(client, "/anybody") == MISSING


async def test_where_people_sign_in_elsewhere_only_tokens_are_issued_here(tenant, tmp_path):
    user = await a_user(tenant)
    token = await token_session(tenant, user, "invoices:read")
    async with console(tenant.database, tmp_path, Issuer(), **KEYCLOAK) as client:
        assert (await asked(client, "/scoped", token))[1][2] == user.email
        assert await asked(client, "/anybody", session_of(user, tenant)) == INVALID


async def test_a_visitor_is_nobody_and_has_a_language(tenant, tmp_path):
    async with console(tenant.database, tmp_path) as client:
        answer = await asked(client, "/visit", **{"Accept-Language": "de-AT, en;q=0.5"})
    assert answer == (200, [str(tenant.id), "de-AT", "visitor", "visit"])


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("fr, de;q=0.3", "de"),
        ("en;q=0.5, de-CH;q=0.8", "de-CH"),
        ("de;q=0, en-GB;q=0.1", "en-GB"),
        ("de;q=zwei, '; drop table", "en"),
        ("fr", "en"),
        ("x" * 9000, "en"),
    ],
)
def test_the_language_is_the_best_that_there_are_texts_in(header, locale):
    assert preferred_locale(header) == locale


async def test_a_tenant_that_is_known_is_not_looked_up_again(tenant, tmp_path, monkeypatch):
    looked_up: list[str] = []
    unscoped = tenant.database.unscoped

    async def counted(sql: str, *values: object) -> Any:
        looked_up.append(sql)
        return await unscoped(sql, *values)

    monkeypatch.setattr(tenant.database, "unscoped", counted)
    async with console(tenant.database, tmp_path) as client:
        await asked(client, "/visit")
        await asyncio.gather(*(asked(client, "/visit") for _ in range(5)))
        assert len(looked_up) == 1
        for _ in range(2):
            await asked(client, "/visit", **{"X-Tenant": "planned"})
    assert len(looked_up) == 3
