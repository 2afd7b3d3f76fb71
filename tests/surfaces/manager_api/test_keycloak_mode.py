"""Do people who sign in at an OpenID Connect issuer get in, and nobody else?

The issuer is a real one, written by others; the clock of the manager API follows the machine's, as the
issuer's does, until a test moves it.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey

from billwright.features.identity.model import SignInMethod
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.operations.session_keys import session_keys
from billwright.features.identity.sql.reads_users import list_users
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.identity.oidc import oidc_issuer
from billwright.providers.payment import discover
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant
from tests.oidc_server.server import CLIENT, OidcServer, oidc_server
from tests.surfaces.manager_api.serving import calling

KEYS = session_keys(BOX, secret=None)
INVALID = {"statusCode": 401, "message": "Invalid or expired token", "error": "Unauthorized"}
LOCKED = "This account is locked. Please contact an administrator."


@pytest.fixture(scope="module")
def shared_server() -> Iterator[OidcServer]:
    with oidc_server() as server:
        yield server


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@asynccontextmanager
async def console(
    server: OidcServer, database: Database, home: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an installation where people sign in at that server."""
    settings = load_settings(
        {
            "BILLWRIGHT_HOME": str(home),
            "OIDC_ISSUER": server.url,
            "KEYCLOAK_CLIENT_ID": CLIENT,
            "TENANTS": "default,other",
        }
    )
    manager = create_manager_api()
    manager.state.settings = settings
    manager.state.wiring = Wiring(
        database=database,
        metrics=Metrics(),
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=discover(),
        secret_box=BOX,
        session_keys=KEYS,
        token_issuer=oidc_issuer(settings, clock=database.clock),
    )
    async with calling(manager) as client:
        client.base_url = httpx2.URL("http://test")
        yield client


@pytest_asyncio.fixture
async def client(
    shared_server: OidcServer, tenant: Tenant, tmp_path: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    async with console(shared_server, tenant.database, tmp_path) as client:
        yield client


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **headers}


async def test_the_first_who_comes_is_the_administrator(
    client: httpx2.AsyncClient, shared_server: OidcServer
):
    ada = await shared_server.token("ada", email="Ada@Northlight.example", email_verified="true")
    bob = await shared_server.token("bob", email="bob@northlight.example")
    for _ in range(2):
        answer = await client.get("/users", headers=bearer(ada))
        assert answer.status_code == 200
        [user] = answer.json()
        assert (user["email"], user["role"]) == ("ada@northlight.example", "admin")
        assert user["emailConfirmedAt"]
    refused = await client.get("/users", headers=bearer(bob))
    assert refused.status_code == 403
    assert (await client.get("/auth/tokens", headers=bearer(bob))).json() == []
    users = (await client.get("/users", headers=bearer(ada))).json()
    assert [(user["email"], user["role"]) for user in users] == [
        ("bob@northlight.example", "user"),
        ("ada@northlight.example", "admin"),
    ]


async def test_another_tenant_has_a_row_of_its_own(
    client: httpx2.AsyncClient, shared_server: OidcServer, tenant: Tenant, other_tenant: Tenant
):
    token = await shared_server.token("ada", email="ada@northlight.example")
    here = (await client.get("/users", headers=bearer(token))).json()
    there = (await client.get("/users", headers=bearer(token, **{"X-Tenant": "other"}))).json()
    assert [user["email"] for user in here] == [user["email"] for user in there]
    assert here[0]["id"] != there[0]["id"]
    foreign = await client.get(f"/users/{there[0]['id']}", headers=bearer(token))
    assert foreign.status_code == 404


async def test_new_keys_count_without_a_restart_and_removed_ones_no_more(
    client: httpx2.AsyncClient, shared_server: OidcServer, clock: FixedClock
):
    old = await shared_server.token()
    assert (await client.get("/users", headers=bearer(old))).status_code == 200
    await shared_server.rotate("ES256")
    clock.move_to(clock.now() + timedelta(seconds=10))
    new = await shared_server.token()
    assert (await client.get("/users", headers=bearer(new))).status_code == 200
    refused = await client.get("/users", headers=bearer(old))
    assert (refused.status_code, refused.json()) == (401, INVALID)


@pytest.mark.parametrize(
    ("minutes", "status"), [(-1, 200), (-2, 401), (0, 200), (5.9, 200), (6.1, 401)]
)
async def test_clocks_may_be_a_minute_apart(
    client: httpx2.AsyncClient,
    shared_server: OidcServer,
    clock: FixedClock,
    minutes: float,
    status: int,
):
    token = await shared_server.token(lifetime="300")
    clock.move_to(clock.now() + timedelta(minutes=minutes, seconds=1))
    answer = await client.get("/users", headers=bearer(token))
    assert answer.status_code == status


async def test_what_is_not_for_this_installation_opens_nothing(
    client: httpx2.AsyncClient, shared_server: OidcServer, tenant: Tenant
):
    with oidc_server() as stranger:
        foreign = await stranger.token()
    await shared_server.rotate("RS256")
    tokens = await shared_server.tokens("ada")
    own = await shared_server.token()
    for token in (
        foreign,
        tokens["id_token"],
        await shared_server.token(audience="another"),
        forged(own, {"alg": "none"}, secret=None),
        forged(own, {"alg": "HS256"}, secret=await public_key(shared_server)),
        own[:-4] + "AAAA",
        "fp_pat_" + "x" * 43,
    ):
        answer = await client.get("/users", headers=bearer(token))
        assert (answer.status_code, answer.json()) == (401, INVALID)
    assert (await client.get("/users")).status_code == 401
    async with tenant.tx() as tx:
        assert await list_users(tx, limit=10, offset=0) == []
    assert (await client.get("/users", headers=bearer(own))).status_code == 200


async def test_a_locked_user_stays_outside(client: httpx2.AsyncClient, shared_server: OidcServer):
    ada = await shared_server.token("ada", email="ada@northlight.example")
    bob = await shared_server.token("bob", email="bob@northlight.example")
    for token in (ada, bob):
        await client.get("/auth/tokens", headers=bearer(token))
    [row, _] = (await client.get("/users", headers=bearer(ada))).json()
    locked = await client.post(f"/users/{row['id']}/lock", headers=bearer(ada))
    assert locked.status_code == 201
    refused = await client.get("/auth/tokens", headers=bearer(bob))
    assert (refused.status_code, refused.json()["message"]) == (401, LOCKED)


async def test_without_the_issuer_its_last_keys_serve_and_nothing_else(
    database: Database, tenant: Tenant, tmp_path: Path
):
    with oidc_server() as server:
        token = await server.token()
        async with (
            console(server, database, tmp_path) as known,
            console(server, database, tmp_path) as unknown,
        ):
            assert (await known.get("/users", headers=bearer(token))).status_code == 200
            server.stop()
            assert (await known.get("/users", headers=bearer(token))).status_code == 200
            answer = await unknown.get("/users", headers=bearer(token))
    assert answer.status_code == 503


async def test_a_personal_access_token_needs_no_issuer(
    database: Database, tenant: Tenant, tmp_path: Path
):
    with oidc_server() as server:
        async with console(server, database, tmp_path) as client:
            ada = await server.token("ada", email="ada@northlight.example", email_verified="true")
            created = await client.post(
                "/auth/tokens",
                headers=bearer(ada),
                json={"name": "backup", "scopes": ["users:admin"]},
            )
            assert created.status_code == 201
            server.stop()
            exchanged = await client.post("/auth/token", json={"token": created.json()["token"]})
            assert exchanged.status_code == 200
            session = exchanged.json()["access_token"]
            users = await client.get("/users", headers=bearer(session))
            assert [user["email"] for user in users.json()] == ["ada@northlight.example"]
            assert (await client.get("/auth/tokens", headers=bearer(session))).status_code == 403


async def test_nobody_signs_in_here(
    client: httpx2.AsyncClient, shared_server: OidcServer, tenant: Tenant, clock: FixedClock
):
    """Not with a password, nor with a session that a password was good for before."""
    body = {"email": "ada@northlight.example", "password": "long enough"}
    for path in ("/auth/login", "/auth/register"):
        assert (await client.post(path, json=body)).status_code == 404
    ada = await shared_server.token("ada", email=body["email"])
    await client.get("/auth/tokens", headers=bearer(ada))
    async with tenant.tx() as tx:
        [user] = await list_users(tx, limit=10, offset=0)
    session = issue_session(KEYS, user, method=SignInMethod.PASSWORD, now=clock.now())
    answer = await client.get("/auth/tokens", headers=bearer(session))
    assert (answer.status_code, answer.json()) == (401, INVALID)


async def public_key(server: OidcServer) -> bytes:
    """What everybody can have, in the form in which it is confused with a secret."""
    async with httpx2.AsyncClient() as client:
        [published] = (await client.get(f"{server.url}/jwks")).json()["keys"]
    return RSAKey.import_key(published).as_pem(private=False)


def forged(token: str, header: dict[str, Any], *, secret: bytes | None) -> str:
    """The claims of a token under another header, signed with what is at hand."""
    own, claims, _ = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(own + "=="))
    start = f"{_encoded(json.dumps(known | header).encode())}.{claims}"
    signature = b"" if secret is None else hmac.digest(secret, start.encode(), "sha256")
    return f"{start}.{_encoded(signature)}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
