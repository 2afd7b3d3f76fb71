"""Clients of the manager API where people sign in with passwords, and the people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from billwright.features.identity.model import CodePurpose
from billwright.features.identity.operations.issue_code import issue_code
from billwright.features.identity.operations.session_keys import session_keys
from billwright.features.identity.sql.reads_users import find_user_by_email
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.web.answer_headers import AnswerHeaders
from billwright.surfaces.web.request_context import RequestContext
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant

ADA, BEN = "ada@northlight.example", "ben@northlight.example"
PASSWORD, OTHER_PASSWORD = "correct horse battery", "a whole new sentence"
STATIC_KEY = "a-static-key-of-at-least-32-characters"
OTHER_TENANT = {"X-Tenant": "other"}

SESSION_OVER = (401, "Session is no longer valid.")


def an_installation(home: Path, database: Database, **variables: str) -> ASGIApp:
    """The manager API at its address, for the tenants `default` and `other`."""
    manager = create_manager_api()
    manager.state.settings = load_settings(
        {
            "BILLWRIGHT_HOME": str(home),
            "AUTHENTICATION_METHOD": "users",
            "TENANTS": "other",
            **variables,
        }
    )
    metrics = Metrics()
    manager.state.wiring = Wiring(
        database=database,
        metrics=metrics,
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=discover(),
        secret_box=BOX,
        session_keys=session_keys(BOX, secret=None),
    )
    root = Starlette(routes=[Mount("/api", manager)])
    return RequestContext(AnswerHeaders(root), metrics=metrics)


@asynccontextmanager
async def calling(installation: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(installation, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://billing.test/api"
    ) as client:
        yield client


def told(answer: httpx2.Response) -> tuple[int, object]:
    """The status and the message of a refusal."""
    return answer.status_code, answer.json()["message"]


async def register(api: httpx2.AsyncClient, email: str, **headers: str) -> httpx2.Response:
    return await api.post(
        "/auth/register", json={"email": email, "password": PASSWORD}, headers=headers
    )


async def code_for(tenant: Tenant, email: str, purpose: CodePurpose) -> str:
    """What the mail to this address says."""
    async with tenant.tx() as tx:
        user = await find_user_by_email(tx, email)
        assert user is not None
        return await issue_code(tx, user.id, box=BOX, purpose=purpose)


async def confirm(api: httpx2.AsyncClient, tenant: Tenant, email: str) -> httpx2.Response:
    code = await code_for(tenant, email, CodePurpose.CONFIRM_EMAIL)
    return await api.post("/auth/confirm-email", json={"email": email, "code": code})


async def log_in(api: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> httpx2.Response:
    return await api.post("/auth/login", json={"email": email, "password": password})


def bearing(answer: httpx2.Response) -> dict[str, str]:
    """The header of somebody who was answered with a session."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def signed_in(
    api: httpx2.AsyncClient, email: str, password: str = PASSWORD
) -> dict[str, str]:
    return bearing(await log_in(api, email, password))


async def an_admin(api: httpx2.AsyncClient) -> dict[str, str]:
    """The tenant's first user, signed in."""
    assert (await register(api, ADA)).status_code == 201
    return await signed_in(api, ADA)


async def a_user(api: httpx2.AsyncClient, tenant: Tenant, email: str = BEN) -> dict[str, str]:
    """A later user, confirmed and signed in."""
    assert (await register(api, email)).status_code == 201
    assert (await confirm(api, tenant, email)).status_code == 200
    return await signed_in(api, email)


async def status_for(api: httpx2.AsyncClient, session: dict[str, str]) -> int:
    """How somebody is answered who asks for something that everybody may see who signed in."""
    return (await api.get("/auth/token-scopes", headers=session)).status_code
