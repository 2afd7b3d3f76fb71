"""Who does something at the manager API, and what is recorded of it?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx2
from starlette.types import ASGIApp

from billwright.features.audit.model import AuditQuery, AuditRecord
from billwright.features.audit.sql.reads import list_entries
from billwright.features.identity.model import CodePurpose, Role, User
from billwright.features.identity.operations.create_first_admin import create_first_admin
from billwright.features.identity.operations.create_user import create_user
from billwright.features.identity.operations.issue_code import issue_code
from tests.conftest import BOX, Tenant
from tests.surfaces.manager_api.people import ADA, PASSWORD

EVE = "eve@northlight.example"
ADDRESS = "192.0.2.7"
AUDIT_LOG = "/admin/audit-log"


class Person:
    """Somebody with a client of their own, whose requests are told apart by their ids."""

    def __init__(self, manager: ASGIApp, tenant: Tenant, code: str = "default") -> None:
        self.tenant = tenant
        self.asked = ""
        self.answers: list[tuple[str, str]] = []
        self._token: str | None = None
        transport = httpx2.ASGITransport(manager, client=(ADDRESS, 4711))
        self._client = httpx2.AsyncClient(
            transport=transport, base_url="http://billing/api", headers={"X-Tenant": code}
        )

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        status: int = 200,
        key: str | None = None,
        **asked: Any,
    ) -> httpx2.Response:
        self.asked = str(uuid4())
        headers = {"X-Correlation-Id": self.asked}
        if key is not None:
            headers["Idempotency-Key"] = key
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        answer = await self._client.request(method, path, json=body, headers=headers, params=asked)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        self.answers.append((path, f"{answer.headers} {answer.text}"))
        return answer

    async def post(
        self, path: str, body: object = None, *, status: int = 200, key: str | None = None
    ) -> Any:
        answer = await self.ask("POST", path, body, status=status, key=key)
        return answer.json() if answer.content else None

    async def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self._token = None
        answer = await self.post("/auth/login", {"email": email, "password": password})
        self._token = answer["access_token"]

    async def come_with(self, token: str) -> None:
        """As a program, by a personal access token."""
        self._token = None
        answer = await self.post("/auth/token", {"token": token})
        self._token = answer["access_token"]

    @asynccontextmanager
    async def nobody(self) -> AsyncIterator[None]:
        """Without the session, until the block ends."""
        token, self._token = self._token, None
        yield
        self._token = token

    async def recorded(self) -> list[AuditRecord]:
        """What the last request left in the log of its tenant."""
        async with self.tenant.tx() as tx:
            query = AuditQuery(request_id=self.asked)
            return await list_entries(tx, query, before=None, limit=9)


async def an_admin(tenant: Tenant) -> User:
    return await create_first_admin(tenant.tx, email=ADA, password=PASSWORD)


async def a_user(tenant: Tenant, password: str = PASSWORD) -> User:
    return await create_user(tenant.tx, email=EVE, password=password, role=Role.USER, locale="en")


async def a_code(tenant: Tenant, user_id: UUID, purpose: CodePurpose) -> str:
    """As it would be mailed."""
    async with tenant.tx() as tx:
        return await issue_code(tx, user_id, box=BOX, purpose=purpose)
